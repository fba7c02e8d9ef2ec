package elastic

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// RebuiltName is the name of a new index in whose favor the name of another one is to be moved: that name, the time
// and a random text.
func RebuiltName(of string, now time.Time) string {
	return fmt.Sprintf("%s-%s-%s", of, now.UTC().Format("20060102150405"), strings.ToLower(rand.Text()[:6]))
}

var rebuiltSuffix = regexp.MustCompile(`^-[0-9]{14}-[a-z2-7]{6}$`)

// IsRebuilt reports whether a name is one of [RebuiltName].
func IsRebuilt(name, of string) bool {
	suffix, ok := strings.CutPrefix(name, of)
	return ok && rebuiltSuffix.MatchString(suffix)
}

// rebuiltAnswers is the response of GET /NAME-*: the settings and aliases of any number of indices.
type rebuiltAnswers map[string]indexAnswer

func (a *rebuiltAnswers) check() error {
	for name, ix := range *a {
		if ix.DataStream == "" && ix.Settings.Index.UUID == "" {
			return lacks(name+".settings.index.uuid", false)
		}
	}
	return nil
}

// Rebuilt looks up the indices that rebuilds of an index have created, sorted by name.
func (c *Client) Rebuilt(ctx context.Context, of string) (indices []*Index, err error) {
	answer := rebuiltAnswers{}
	r := esapi.IndicesGetRequest{Index: []string{url.PathEscape(of) + "-*"}}
	if err := c.call(ctx, fmt.Sprintf("look up rebuilt indices of %q", of), r, &answer); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(answer)) {
		if IsRebuilt(name, of) {
			a := answer[name]
			indices = append(indices, a.index(name))
		}
	}
	return indices, nil
}

// ForLoading is c with settings that make the first load of a new index cheaper; [Client.Finish] ends them. A server
// that refuses them, as Serverless does, creates the index without.
func (c Creation) ForLoading() Creation {
	loading := Creation{settings: map[string]any{"number_of_replicas": 0, "refresh_interval": "-1"}}
	out := loading.Over(c, nil)
	out.optional = append(slices.Clone(c.optional), slices.Sorted(maps.Keys(loading.settings))...)
	return out
}

// Finish gives a new index, which was created for loading, the replicas and the refresh interval of another one.
func (c *Client) Finish(ctx context.Context, index string, like *Index) error {
	var refresh any // null is the default
	if like.refresh != "" {
		refresh = like.refresh
	}
	settings := map[string]any{"refresh_interval": refresh}
	if like.replicas != "" { // Serverless has none
		settings["number_of_replicas"] = like.replicas
	}
	r := esapi.IndicesPutSettingsRequest{Index: []string{url.PathEscape(index)}, Body: asJSON(map[string]any{"index": settings})}
	return c.call(ctx, fmt.Sprintf("change the settings of index %q", index), r, nil)
}

// Swap lets a name stand for the index to, in one step. If the name is an alias of the index from, the alias moves;
// if it is from itself, from is deleted and the alias takes its name.
func (c *Client) Swap(ctx context.Context, name string, from, to *Index) error {
	leave := map[string]any{"remove": map[string]any{"index": from.Name, "alias": name, "must_exist": true}}
	if from.Name == name {
		leave = map[string]any{"remove_index": map[string]any{"index": from.Name}}
	}
	add := map[string]any{"index": to.Name, "alias": name, "is_write_index": true}
	r := esapi.IndicesUpdateAliasesRequest{Body: asJSON(map[string]any{"actions": []any{leave, map[string]any{"add": add}}})}
	return c.call(ctx, fmt.Sprintf("let %q stand for index %q", name, to.Name), r, nil)
}

// DeleteIndex deletes an index and its documents.
func (c *Client) DeleteIndex(ctx context.Context, name string) error {
	r := esapi.IndicesDeleteRequest{Index: []string{url.PathEscape(name)}}
	return c.call(ctx, fmt.Sprintf("delete index %q", name), r, nil)
}
