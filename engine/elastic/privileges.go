package elastic

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// Privileges are what a user may do: with the cluster, and with indices, by their name or pattern.
type Privileges struct {
	Cluster []string
	Indices map[string][]string
}

// None reports that there is no privilege.
func (p *Privileges) None() bool { return len(p.Cluster)+len(p.Indices) == 0 }

type privilegesAnswer struct {
	Username string                     `json:"username"`
	All      *bool                      `json:"has_all_requested"`
	Cluster  map[string]bool            `json:"cluster"`
	Index    map[string]map[string]bool `json:"index"`
}

func (a *privilegesAnswer) check() error { return lacks("has_all_requested", a.All != nil) }

// Lacks returns the user of this client, and which of the wanted privileges it does not have. secured is false if
// the server has no users: then everything is allowed. See
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-has-privileges.
func (c *Client) Lacks(ctx context.Context, want Privileges) (user string, lacking Privileges, secured bool, err error) {
	type index struct {
		Names      []string `json:"names"`
		Privileges []string `json:"privileges"`
	}
	indices := []index{}
	for name, privileges := range want.Indices {
		indices = append(indices, index{[]string{name}, privileges})
	}
	var a privilegesAnswer
	r := esapi.SecurityHasPrivilegesRequest{Body: asJSON(map[string]any{"cluster": want.Cluster, "index": indices})}
	err = c.call(ctx, "look up the privileges of this user", r, &a)
	if withoutSecurity(err) {
		return "", lacking, false, nil
	}
	if err != nil || *a.All {
		return a.Username, lacking, true, err
	}
	refused := func(all []string, has map[string]bool) (out []string) {
		for _, p := range all {
			if !has[p] {
				out = append(out, p)
			}
		}
		return out
	}
	lacking.Cluster = refused(want.Cluster, a.Cluster)
	for name, privileges := range want.Indices {
		if missing := refused(privileges, a.Index[name]); len(missing) > 0 {
			if lacking.Indices == nil {
				lacking.Indices = map[string][]string{}
			}
			lacking.Indices[name] = missing
		}
	}
	return a.Username, lacking, true, nil
}

// withoutSecurity reports that the server does not have the requested endpoint, or has turned security off.
func withoutSecurity(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	return slices.Contains([]int{http.StatusBadRequest, http.StatusMethodNotAllowed}, e.Status) && strings.Contains(e.Reason, "_security") ||
		strings.Contains(e.Reason, "Security must be explicitly enabled")
}
