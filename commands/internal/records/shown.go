package records

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Records as they may be shown. The rules:
//
//   - a value is hidden when its field is sensitive, by the source type or by the record itself;
//   - so is one of which neither says anything: nobody knows what it is;
//   - credentials within an address are hidden wherever they stand.

// hidden is a configuration without its secrets.
func hidden(a *setup.App, cfg *config.Config, serviceType string, c protocol.Configuration) protocol.Configuration {
	typ, err := SourceType(a, cfg, &config.Connector{ServiceType: serviceType})
	if err != nil {
		typ = source.Type{} // then the record alone tells
	}
	out := protocol.Configuration{}
	for name, raw := range c {
		out[name] = hiddenField(typ.Fields, name, raw)
	}
	return out
}

func hiddenField(specs []field.Spec, name string, raw json.RawMessage) json.RawMessage {
	at := slices.IndexFunc(specs, func(s field.Spec) bool { return s.Name == name })
	var properties map[string]json.RawMessage
	if json.Unmarshal(raw, &properties) != nil || properties == nil { // a bare value, of the days before there were properties
		if at < 0 || specs[at].Sensitive {
			return dots(raw)
		}
		return withoutCredentials(raw)
	}
	public := string(properties["sensitive"]) == "false" || at >= 0 && string(properties["sensitive"]) != "true"
	if at >= 0 && specs[at].Sensitive {
		public = false
	}
	out := maps.Clone(properties)
	for _, key := range []string{"value", "default_value"} {
		switch value, there := properties[key]; {
		case !there:
		case public:
			out[key] = withoutCredentials(value)
		default:
			out[key] = dots(value)
		}
	}
	return encoded(out)
}

// dots stand for a value; one that is empty may be seen to be.
func dots(raw json.RawMessage) json.RawMessage {
	if value := strings.TrimSpace(string(raw)); value == "" || value == "null" || value == `""` || value == "[]" {
		return raw
	}
	return encoded(field.Hidden)
}

// credentials are a user and a password in an address.
var credentials = regexp.MustCompile(`://[^/@\s"]*@`)

func withoutCredentials(raw json.RawMessage) json.RawMessage {
	return credentials.ReplaceAll(raw, []byte("://"+field.Hidden+"@"))
}

func encoded(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil { // texts, and what was JSON before
		panic(err)
	}
	return raw
}

// ShownJob is what job view -o json prints.
type ShownJob struct {
	Schema int          `json:"schema"`
	ID     string       `json:"id"`
	Type   string       `json:"type"` // also of deletions, which the record knows as full
	Job    protocol.Job `json:"job"`
}

// ShownJob is a job as it may be shown.
func (d *Desk) ShownJob(job *protocol.Record[protocol.Job]) ShownJob {
	out := ShownJob{Schema: output.Schema, ID: job.ID, Type: string(job.Body.Type()), Job: job.Body}
	of := &out.Job.Connector
	of.Configuration = hidden(d.App, d.Config, cmp.Or(string(of.ServiceType), EntryOf(d.Config, of.ID).ServiceType), of.Configuration)
	return out
}

// ShownConnector is what connector show -o json prints.
type ShownConnector struct {
	Schema    int                `json:"schema"`
	ID        string             `json:"id"`
	Connector protocol.Connector `json:"connector"`
}

// ShownConnector is a connector as it may be shown.
func (d *Desk) ShownConnector(c *protocol.Record[protocol.Connector]) ShownConnector {
	out := ShownConnector{Schema: output.Schema, ID: c.ID, Connector: c.Body}
	out.Connector.Configuration = hidden(d.App, d.Config, cmp.Or(string(c.Body.ServiceType), EntryOf(d.Config, c.ID).ServiceType), c.Body.Configuration)
	return out
}
