package sqlread

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/form"
)

// Catalogue is everything that exists and is visible to the user.
type Catalogue struct {
	Relations []Relation
	Missing   []source.Part // for configured schemas that do not exist
	Err       error         // why nothing can be read at all
	In        slog.Attr     // the schemas, or else the database
	// Where and Hint complete the error about a rule's table that is not among the relations: where it was looked for, and
	// what to do.
	Where, Hint string
}

// Relation is a table or a similar object, as described by the server's catalog.
type Relation struct {
	ID           int64 // in the catalog, if it has numbers
	Schema, Name string
	Kind         string    // for messages
	Why          string    // why it is never read; "" if it can be read
	Shown        string    // its name in messages
	Scope        string    // the unit of deletes
	Entry        [2]string // schema and name, in the form of the table list
	Match        [2]string // the same, for comparison with the configuration; empty: Schema and Name
	Estimate     int64     // rows; not above 0 when unknown
	Size         int64     // in bytes or blocks, as the dialect counts; 0 when unknown
	Storage      string    // the storage engine, if that matters
	Unversioned  bool      // no snapshot can hold its rows
	History      bool      // it holds older versions of rows
	Readable     bool      // the user has SELECT on it
}

// The kinds of relations.
const (
	KindTable = "table"
	KindView  = "view"
)

// IsTable reports whether it holds its own rows. Everything else may have no key and be costly to read, so it must be
// named explicitly.
func (r *Relation) IsTable() bool { return r.Kind == KindTable }

// Known is the relation in the form that the table list is compared with.
func (r *Relation) Known() Known {
	return Known{Schema: cmp.Or(r.Match[0], r.Schema), Name: cmp.Or(r.Match[1], r.Name), Table: r.IsTable(), Why: r.Why}
}

// Asks reports whether the list includes a relation.
func (l *TableList) Asks(r *Relation) bool {
	k := r.Known()
	return (k.Table || l.Names(k.Schema, k.Name)) && l.Wants(k.Schema, k.Name)
}

// Selection is a rule whose tables were found. A rule is a part that belongs to the tables it names: they name
// its documents, and deletes are decided by them.
type Selection struct {
	*Rule
	Tables []Relation
}

// Select finds the tables of a rule among relations, in the given order. matches reports whether an entry names one.
func (r *Rule) Select(relations []Relation, matches func(e *Entry, rel *Relation) bool) (s *Selection, missing []string) {
	s = &Selection{Rule: r}
	for i := range r.Tables {
		e := &r.Tables[i]
		at := slices.IndexFunc(relations, func(rel Relation) bool { return matches(e, &rel) })
		if at < 0 {
			missing = append(missing, e.Text)
		} else {
			s.add(&relations[at])
		}
	}
	return s, missing
}

// SelectOne finds the tables of a rule in all schemas, in the order of their names. A name that is in several
// schemas is refused.
func (r *Rule) SelectOne(q Quote, relations []Relation) (s *Selection, missing []string, err error) {
	s = &Selection{Rule: r}
	for i := range r.Tables {
		e := &r.Tables[i]
		var found []*Relation
		for k := range relations {
			if known := relations[k].Known(); e.Match(known.Schema, known.Name) {
				found = append(found, &relations[k])
			}
		}
		switch len(found) {
		case 0:
			missing = append(missing, e.Text)
		case 1:
			s.add(found[0])
		default:
			return nil, nil, form.ConfigError(fmt.Errorf("%s.tables[%d]: %q is in several schemas", r.Path, i, e.Text),
				fmt.Sprintf("write %s or %s", q.WriteEntry(found[0].Schema, found[0].Name), q.WriteEntry(found[1].Schema, found[1].Name)))
		}
	}
	slices.SortFunc(s.Tables, func(a, b Relation) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Schema, b.Schema))
	})
	return s, missing, nil
}

// add adds a table, once.
func (s *Selection) add(r *Relation) {
	if !slices.ContainsFunc(s.Tables, func(t Relation) bool { return t.Schema == r.Schema && t.Name == r.Name }) {
		s.Tables = append(s.Tables, *r)
	}
}

// Names are the names of the tables, in their order.
func (s *Selection) Names() (names []string) {
	for i := range s.Tables {
		names = append(names, s.Tables[i].Name)
	}
	return names
}

// Schemas are the schemas of the tables, each once.
func (s *Selection) Schemas() (names []string) {
	for i := range s.Tables {
		names = append(names, s.Tables[i].Schema)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Combined is the relation that represents the tables of a rule in the schemas of one database.
func (s *Selection) Combined(q Quote) Relation {
	schemas, names := s.Schemas(), s.Names()
	return Relation{Schema: strings.Join(schemas, "_"), Name: strings.Join(names, "_"), Scope: q.SchemaScope(schemas, names)}
}

// AbsentError means that tables of rules do not exist. where is the end of the message.
func AbsentError(missing []string, where, hint string) error {
	slices.Sort(missing)
	return form.ConfigError(fmt.Errorf("advanced_rules: there is no table %s%s", strings.Join(slices.Compact(missing), ", "), where), hint)
}
