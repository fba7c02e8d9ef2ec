package sqlread

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Known is a table or a view that exists.
type Known struct {
	Schema, Name string
	Table        bool   // not a view or similar, which must be named explicitly
	Why          string // why it is never read; "" if it can be read
}

// Unknown is an entry of the table list that matches no readable table.
type Unknown struct {
	Entry *Entry
	Why   string // such as "does not exist"
	Near  string // the nearest table name; "" if there is none
	quote Quote
}

// Missing is a failing part for the entry. Its scope is the entry's own if that is a name, otherwise one in schema;
// where is the end of the message, and grant is a statement that may help, or "".
func (u *Unknown) Missing(scope, schema, where, grant string) *Missing {
	e, what := *u.Entry, "table"
	hint := fmt.Sprintf("correct or remove %q in tables:", e.Text)
	if grant != "" && e.Exact() {
		hint += ", or " + grant
	}
	if u.Near != "" {
		hint += fmt.Sprintf("; did you mean %q?", u.Near)
	}
	if !e.Exact() {
		what, scope = "pattern", e.Text
	}
	err := &source.UnmatchedError{
		Err: fmt.Errorf("%s %q of the configuration %s%s", what, e.Text, u.Why, where),
		Of:  func(of string) bool { return e.matchScope(u.quote, schema, of) },
	}
	return &Missing{Of: scope, Err: &source.Error{Kind: source.ErrConfig, Part: scope, Err: err, Hint: hint}}
}

// matchScope reports whether the entry names or matches the table of a scope. The entry's name may have
// been folded.
func (e *Entry) matchScope(quote Quote, schema, scope string) bool {
	s, err := quote.ParseEntry(scope)
	if err != nil {
		return false
	}
	if s.Schema != (Name{}) {
		schema = s.Schema.Text
	}
	return e.Match(schema, s.Table.Text) || e.Match(strings.ToLower(schema), strings.ToLower(s.Table.Text))
}

// Unknown lists the entries that match no readable table. Exclusions that match nothing are only
// logged, because they change nothing.
func (l *TableList) Unknown(known []Known, log *slog.Logger) (unknown []Unknown) {
	for i := range l.Entries {
		e := &l.Entries[i]
		found, why := e.find(known)
		switch {
		case found && why == "":
		case e.Text == "*":
		case e.Exclude:
			if e.Exact() {
				log.Warn("no table matches the exclusion", "tables", "-"+e.Text)
			}
		default:
			if !found {
				why = "does not exist"
				if !e.Exact() {
					why = "matches no table"
				}
			}
			unknown = append(unknown, Unknown{Entry: e, Why: why, Near: e.near(known), quote: l.quote})
		}
	}
	return unknown
}

// find reports whether the entry matches a known table. why is the reason if none of those can be read.
func (e *Entry) find(known []Known) (found bool, why string) {
	for _, k := range known {
		if !e.Match(k.Schema, k.Name) || (!e.Exact() && !k.Table) {
			continue
		}
		if k.Why == "" {
			return true, ""
		}
		found, why = true, k.Why
	}
	return found, why
}

// near is the nearest table name.
func (e *Entry) near(known []Known) string {
	names := []string{}
	for _, k := range known {
		if k.Why == "" && k.Table {
			names = append(names, k.Name, k.Schema+"."+k.Name)
		}
	}
	return field.Nearest(e.Text, names)
}

// Missing is a part that is configured and cannot be read. It fails, so nothing in it is
// deleted.
type Missing struct {
	Of  string // its scope
	Err error
}

// Scope is the configured name.
func (m *Missing) Scope() string { return m.Of }

// Name is the scope.
func (m *Missing) Name() string { return m.Of }

// Ended implements [source.Part].
func (m *Missing) Ended() bool { return false }

// Absent is the error.
func (m *Missing) Absent() error { return m.Err }

// Documents fails.
func (m *Missing) Documents(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) { yield(document.Document{}, m.Err) }
}

// Parts yields the parts that list returns; list is called on the first iteration.
func Parts(ctx context.Context, list func(context.Context) ([]source.Part, error)) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		parts, err := list(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, p := range parts {
			if err := ctx.Err(); err != nil {
				yield(nil, fmt.Errorf("list the tables: %w", err))
				return
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}
