package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/mirror"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/records"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// serverPatience is how long a response of the destination may take. check tries once: it reports the present
// state.
const serverPatience = 10 * time.Second

// clockTolerance is a difference between two clocks that matters to no one.
const clockTolerance = time.Minute

// server is the destination as the user of one API key sees it.
type server struct {
	client *elastic.Client
	info   elastic.Info
}

func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, serverPatience, fmt.Errorf("%w: no answer within %s", elastic.ErrUnreachable, serverPatience))
}

// server reaches the destination with the credentials of a connector, once for each of them. It is nil if that is
// not possible, which is reported.
func (x *examination) server(ctx context.Context, c *config.Connector) *server {
	if x.dest == nil {
		return nil
	}
	key := c.APIKey.Reveal()
	s, known := x.servers[key]
	if known {
		return s
	}
	about := ""
	if len(x.servers) > 0 { // the first concerns all connectors, unless another one has its own key
		about = records.ConnectorName(c)
	}
	x.servers[key] = x.reach(ctx, c, about)
	return x.servers[key]
}

func (x *examination) reach(run context.Context, c *config.Connector, about string) *server {
	ctx, cancel := limited(run)
	defer cancel()
	client, err := x.dest.Client(c)
	if err != nil {
		x.out.fail(about, checkDestination, err)
		return nil
	}
	info, err := client.Ping(ctx)
	if run.Err() != nil { // a signal is no finding
		return nil
	}
	if err != nil {
		x.out.fail(about, checkDestination, err)
		return nil
	}
	if folder := x.dest.Folder(); folder != "" {
		x.out.say(about, checkDestination, engine.StatusOK, "the folder "+folder+", without a server", "")
		if text := x.dest.OpenToOthers(); text != "" {
			x.out.say(about, checkDestination, engine.StatusWarning, text, "")
		}
		return &server{client, info}
	}
	x.out.say(about, checkDestination, engine.StatusOK,
		fmt.Sprintf("Elasticsearch %s responds at %s (cluster %q), %s", info.Version, x.dest.Name(), info.Cluster, x.connection()), "")
	if !info.HasSetting([2]int{8, 0}) {
		x.out.add(about, engine.Finding{
			Check: checkDestination, Status: engine.StatusError, Err: engine.ErrConfig,
			Message: fmt.Sprintf("Elasticsearch %s is not supported", info.Version), Hint: "use version 8 or 9",
		})
	}
	x.plainText(about)
	x.clock(ctx, client, about)
	return &server{client, info}
}

// connection describes how the connection is protected.
func (x *examination) connection() string {
	es := &x.cfg.Elasticsearch
	switch {
	case es.CloudID == "" && !strings.HasPrefix(strings.ToLower(es.Host), "https:"):
		return "without TLS"
	case !es.VerifyCerts:
		return "TLS, certificate not verified"
	case es.CACerts != "":
		return "certificate verified with " + es.CACerts
	case es.CAFingerprint != "":
		return "certificate verified by its fingerprint"
	}
	return "certificate verified"
}

// plainText reports credentials that travel unprotected to another machine.
func (x *examination) plainText(about string) {
	es := &x.cfg.Elasticsearch
	if es.Username == "" && es.APIKey.IsZero() && es.BearerToken.IsZero() || x.connection() != "without TLS" {
		return
	}
	u, err := url.Parse(es.Host)
	if err != nil || u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback() {
		return
	}
	x.out.say(about, checkDestination, engine.StatusWarning, "the credentials travel without encryption", "use https:// in elasticsearch.host")
}

func (x *examination) clock(ctx context.Context, client *elastic.Client, about string) {
	if x.app.OwnTime {
		return
	}
	ahead, err := client.ClockAhead(ctx, x.app.Now)
	switch {
	case err != nil:
		x.out.say(about, checkClock, engine.StatusNote, "the clock of Elasticsearch is unknown: "+err.Error(), "")
	case ahead.Abs() > clockTolerance:
		than := "ahead of"
		if ahead < 0 {
			than = "behind"
		}
		x.out.say(about, checkClock, engine.StatusWarning,
			fmt.Sprintf("Elasticsearch's clock is %s %s this machine's", ahead.Abs().Round(time.Second), than), "synchronize both clocks, with NTP for example")
	default:
		x.out.say(about, checkClock, engine.StatusOK, "the clocks of Elasticsearch and of this machine agree", "")
	}
}

// recordIndices are the indices of connectors and sync jobs.
const recordIndices = ".elastic-connectors*"

// needed are the privileges on an index for a sync, see docs/CONNECTOR_PROTOCOL.md.
var needed = []string{"read", "write", "view_index_metadata", "maintenance", "manage"}

// purposes are what a sync does with them.
var purposes = map[string]string{
	"read": "compares documents", "write": "writes documents", "view_index_metadata": "looks the index up",
	"maintenance": "refreshes the index; without it deletes are held back", "manage": "creates the index, its mapping and its marker",
}

func (x *examination) privileges(ctx context.Context, s *server, name string, p *mirror.Prepared) {
	if x.dest.Folder() != "" {
		return
	}
	ctx, cancel := limited(ctx)
	defer cancel()
	want := elastic.Privileges{Cluster: []string{"monitor"}, Indices: map[string][]string{x.concrete(ctx, s, p.Job.Index): needed}}
	if p.Connector.ConnectorID != "" {
		want.Indices[recordIndices] = []string{"read", "write", "create_index", "view_index_metadata", "maintenance"}
	}
	user, lacking, secured, err := s.client.Lacks(ctx, want)
	switch {
	case err != nil:
		x.out.say(name, checkPrivileges, engine.StatusWarning, err.Error(), logs.HintOf(err))
	case !secured:
		x.out.say(name, checkPrivileges, engine.StatusNote, "this Elasticsearch has no security: everyone who reaches it may read and change everything", "")
	case lacking.None():
		x.out.say(name, checkPrivileges, engine.StatusOK, fmt.Sprintf("user %q has all that a sync needs", user), "")
	default:
		x.out.add(name, engine.Finding{
			Check: checkPrivileges, Status: engine.StatusError, Err: elastic.ErrAuth,
			Message: fmt.Sprintf("user %q lacks %s", user, lackingText(lacking)), Hint: roleRequest(want),
		})
	}
}

// lackingText names missing privileges and what a sync does with them.
func lackingText(lacking elastic.Privileges) string {
	var all []string
	for _, p := range lacking.Cluster {
		all = append(all, p+" on the cluster")
	}
	for _, index := range slices.Sorted(maps.Keys(lacking.Indices)) {
		for _, p := range lacking.Indices[index] {
			text, why := fmt.Sprintf("%s on %q", p, index), purposes[p]
			if index != recordIndices && why != "" {
				text += " (" + why + ")"
			}
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

// roleRequest is the request that creates a role with the privileges, and below it the one that creates an API key
// with them.
func roleRequest(want elastic.Privileges) string {
	type index struct {
		Names      []string `json:"names"`
		Privileges []string `json:"privileges"`
	}
	role := struct {
		Cluster []string `json:"cluster"`
		Indices []index  `json:"indices"`
	}{Cluster: want.Cluster}
	for _, name := range slices.Sorted(maps.Keys(want.Indices)) {
		role.Indices = append(role.Indices, index{[]string{name}, want.Indices[name]})
	}
	key := struct {
		Name  string         `json:"name"`
		Roles map[string]any `json:"role_descriptors"`
	}{program.Name, map[string]any{program.Name: role}}
	return "grant this role to the user, or create another API key\n" +
		"PUT /_security/role/" + program.Name + " " + encoded(role) + "\n" +
		"POST /_security/api_key " + encoded(key)
}

func encoded(v any) string {
	raw, err := json.Marshal(v)
	if err != nil { // texts
		panic(err)
	}
	return string(raw)
}

// concrete is the name of the index that an alias stands for; the same name if it is unknown.
func (x *examination) concrete(ctx context.Context, s *server, index string) string {
	ctx, cancel := limited(ctx)
	defer cancel()
	found, err := s.client.Index(ctx, index)
	if err != nil { // the engine reports it
		return index
	}
	return found.Name
}
