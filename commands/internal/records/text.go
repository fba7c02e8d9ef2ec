package records

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/rules"
)

// lines are names and values, one per line; empty values are left out.
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

// JobText is a job for people; configuration is its configuration without secrets.
func JobText(r *protocol.Record[protocol.Job], configuration protocol.Configuration) string {
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
		{"held back", details.Withheld},
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

// ConnectorText is a connector for people; configuration is its configuration without secrets.
func ConnectorText(r *protocol.Record[protocol.Connector], configuration protocol.Configuration) string {
	c := &r.Body
	var l lines
	l.add("connector", r.ID)
	l.add("name", c.Name)
	l.add("description", string(c.Description))
	l.add("source type", string(c.ServiceType))
	l.add("index", string(c.IndexName))
	l.add("language", string(c.Language))
	l.add("status", string(c.Status))
	l.add("error", string(c.Error))
	if c.IsNative {
		l.add("native", "yes")
	}
	l.add("pipeline", string(c.Pipeline.Name))
	for _, t := range []protocol.JobType{protocol.JobFull, protocol.JobIncremental, protocol.JobAccessControl} {
		if s := c.Scheduling.Of(t); s.Enabled {
			l.add("schedule of "+string(t), s.Interval)
		}
	}
	if at := protocol.Default(c.Filtering); at >= 0 {
		l.add("rules", rulesText(c.Filtering[at].Active))
		if state := c.Filtering[at].Draft.Validation.State; state != protocol.ValidationValid {
			l.add("draft of rules", cmp.Or(state, "not validated yet"))
		}
	}
	l.add("last seen", instant(c.LastSeen))
	l.add("last synced", instant(c.LastSynced))
	l.add("last sync", string(c.LastSyncStatus))
	l.add("last sync error", string(c.LastSyncError))
	l.add("last access control", string(c.LastAccessControlSyncStatus))
	l.add("its error", string(c.LastAccessControlSyncError))
	if !c.LastSynced.IsZero() {
		l.add("indexed last", term.Number(int64(c.LastIndexedDocumentCount)))
		l.add("deleted last", term.Number(int64(c.LastDeletedDocumentCount)))
	}
	return l.String() + configurationText(configuration)
}

// rulesText counts the rules, apart from the default rule that every connector has; "" if there are none.
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

// instant is a time of a record for people and for programs; "" for none.
func instant(t protocol.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}
