package commands

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Records as they may be shown. The rules:
//
//   - a value is hidden when its field is sensitive, by the source type or by the record itself;
//   - so is one of which neither says anything: nobody knows what it is;
//   - credentials within an address are hidden wherever they stand.

// hidden is a configuration without its secrets.
func (a *App) hidden(cfg *config.Config, serviceType string, c protocol.Configuration) protocol.Configuration {
	typ, err := a.sourceType(cfg, &config.Connector{ServiceType: serviceType})
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

// shownJob is what job view -o json prints.
type shownJob struct {
	Schema int          `json:"schema"`
	ID     string       `json:"id"`
	Type   string       `json:"type"` // also of deletions, which the record knows as full
	Job    protocol.Job `json:"job"`
}

func (d *desk) shownJob(job *protocol.Record[protocol.Job]) shownJob {
	out := shownJob{Schema: output.Schema, ID: job.ID, Type: string(job.Body.Type()), Job: job.Body}
	of := &out.Job.Connector
	of.Configuration = d.app.hidden(d.cfg, cmp.Or(string(of.ServiceType), entryOf(d.cfg, of.ID).ServiceType), of.Configuration)
	return out
}

// shownConnector is what connector show -o json prints.
type shownConnector struct {
	Schema    int                `json:"schema"`
	ID        string             `json:"id"`
	Connector protocol.Connector `json:"connector"`
}

func (d *desk) shownConnector(c *protocol.Record[protocol.Connector]) shownConnector {
	out := shownConnector{Schema: output.Schema, ID: c.ID, Connector: c.Body}
	out.Connector.Configuration = d.app.hidden(d.cfg, cmp.Or(string(c.Body.ServiceType), entryOf(d.cfg, c.ID).ServiceType), c.Body.Configuration)
	return out
}

// lines are names and values below each other; a value that is empty is left out.
type lines [][2]string

func (l *lines) add(name, value string) {
	if value != "" {
		*l = append(*l, [2]string{name, term.Plain(value)})
	}
}

func (l lines) String() string {
	widest := 0
	for _, line := range l {
		widest = max(widest, term.Columns(line[0]))
	}
	var b strings.Builder
	for _, line := range l {
		b.WriteString(strings.TrimRight(term.Pad(line[0], widest)+"  "+line[1], " ") + "\n")
	}
	return b.String()
}

// jobText is a job for people; configuration is what may be shown of it.
func jobText(r *protocol.Record[protocol.Job], configuration protocol.Configuration) string {
	j, details := &r.Body, r.Body.Metadata.Details()
	var l lines
	l.add("job", r.ID)
	l.add("type", string(j.Type()))
	l.add("trigger", string(j.TriggerMethod))
	l.add("status", string(j.Status))
	l.add("error", string(j.Error))
	l.add("note", details.Note)
	l.add("connector", j.Connector.ID)
	l.add("source type", string(j.Connector.ServiceType))
	l.add("index", string(j.Connector.IndexName))
	l.add("language", string(j.Connector.Language))
	l.add("pipeline", string(j.Connector.Pipeline.Name))
	l.add("rules", rulesText(j.Connector.Filtering.Rules))
	l.add("created", instant(j.CreatedAt))
	l.add("started", instant(j.StartedAt))
	l.add("last seen", instant(j.LastSeen))
	l.add("cancel asked", instant(j.CancelationRequestedAt))
	l.add("canceled", instant(j.CanceledAt))
	l.add("completed", instant(j.CompletedAt))
	l.add("host", string(j.WorkerHostname))
	l.add("indexed", fmt.Sprintf("%s (%s MiB)", term.Number(int64(j.IndexedDocumentCount)), term.Number(int64(j.IndexedDocumentVolume))))
	l.add("deleted", term.Number(int64(j.DeletedDocumentCount)))
	if j.TotalDocumentCount != nil {
		l.add("in the index", term.Number(int64(*j.TotalDocumentCount)))
	}
	for _, count := range []struct {
		name string
		n    int64
	}{
		{"new", details.Created},
		{"updated", details.Updated},
		{"kept", details.Kept},
		{"withheld", details.Withheld},
		{"rejected", details.Rejected},
		{"dropped", details.Dropped},
		{"duplicates", details.Duplicates},
		{"unread contents", details.ContentErrors},
		{"unread parts", details.FailedParts},
	} {
		if count.n != 0 {
			l.add(count.name, term.Number(count.n))
		}
	}
	return l.String() + configurationText(configuration)
}

// rulesText says how many rules there are beside the one that every connector has; "" where there are none.
func rulesText(r protocol.Rules) string {
	basic := 0
	for _, one := range r.Rules {
		if one.ID != rules.Default {
			basic++
		}
	}
	var kinds []string
	if basic > 0 {
		kinds = append(kinds, term.Plural(int64(basic), "basic rule", "basic rules"))
	}
	if !r.AdvancedSnippet.Empty() {
		kinds = append(kinds, "advanced rules")
	}
	return strings.Join(kinds, " and ")
}

// configurationText lists the fields of a configuration in the order of their form.
func configurationText(c protocol.Configuration) string {
	type row struct {
		name, value string
		order       float64
	}
	var rows []row
	for name, raw := range c {
		r := row{name: name, value: textOf(raw)}
		var properties struct {
			Value json.RawMessage `json:"value"`
			Order float64         `json:"order"`
		}
		if json.Unmarshal(raw, &properties) == nil && len(properties.Value) > 0 {
			r.value, r.order = textOf(properties.Value), properties.Order
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.order, b.order), strings.Compare(a.name, b.name)) })
	if len(rows) == 0 {
		return ""
	}
	var l lines
	for _, r := range rows {
		l = append(l, [2]string{"  " + term.Plain(r.name), term.Plain(r.value)})
	}
	return "configuration\n" + l.String()
}

// textOf is a JSON value for people: a text without its quotes.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
