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

// Records without their secrets. The rules:
//
//   - a value is masked if the source type or the record marks its field as sensitive;
//   - a value is masked if neither knows its field, because it may be a secret;
//   - credentials in an address are masked everywhere.

// hidden is a configuration without its secrets.
func hidden(a *setup.App, cfg *config.Config, serviceType string, c protocol.Configuration) protocol.Configuration {
	typ, err := SourceType(a, cfg, &config.Connector{ServiceType: serviceType})
	if err != nil {
		typ = source.Type{} // then only the record knows which fields are sensitive
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
	if json.Unmarshal(raw, &properties) != nil || properties == nil { // a bare value, from before fields had properties
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

// dots masks a value; an empty value stays visible.
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
	if err != nil { // texts, and values that were JSON before
		panic(err)
	}
	return raw
}

// ShownJob is the output of job view -o json.
type ShownJob struct {
	Schema int          `json:"schema"`
	ID     string       `json:"id"`
	Type   string       `json:"type"` // deletion, too, which the record calls full
	Job    protocol.Job `json:"job"`
}

// ShownJob is a job without its secrets.
func (d *Desk) ShownJob(job *protocol.Record[protocol.Job]) ShownJob {
	out := ShownJob{Schema: output.Schema, ID: job.ID, Type: string(job.Body.Type()), Job: job.Body}
	of := &out.Job.Connector
	of.Configuration = hidden(d.App, d.Config, cmp.Or(string(of.ServiceType), EntryOf(d.Config, of.ID).ServiceType), of.Configuration)
	return out
}

// ShownConnector is the output of connector show -o json.
type ShownConnector struct {
	Schema    int                `json:"schema"`
	ID        string             `json:"id"`
	Connector protocol.Connector `json:"connector"`
}

// ShownConnector is a connector without its secrets.
func (d *Desk) ShownConnector(c *protocol.Record[protocol.Connector]) ShownConnector {
	out := ShownConnector{Schema: output.Schema, ID: c.ID, Connector: c.Body}
	out.Connector.Configuration = hidden(d.App, d.Config, cmp.Or(string(c.Body.ServiceType), EntryOf(d.Config, c.ID).ServiceType), c.Body.Configuration)
	return out
}
