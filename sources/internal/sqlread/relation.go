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

// Catalogue is what exists, as far as the user may know.
type Catalogue struct {
	Relations []Relation
	Missing   []source.Part // for configured schemas that do not exist
	Err       error         // why there is nothing to read at all
	In        slog.Attr     // the schemas, or else the database
	// Where and Hint are said of a table of a rule that is not among the relations: where it was looked for, and what
	// to do.
	Where, Hint string
}

// Relation is a table or something like it, as far as the catalogue of a server says it.
type Relation struct {
	ID           int64 // in the catalogue, where it has numbers
	Schema, Name string
	Kind         string    // as it stands in a sentence
	Why          string    // why it is never read; "" where it can be
	Shown        string    // what messages call it
	Scope        string    // what deletes are decided by
	Entry        [2]string // schema and name, as the table list has it
	Match        [2]string // the same, as the configuration is compared with them; empty is Schema and Name
	Estimate     int64     // rows; not above 0 when unknown
	Size         int64     // in bytes or blocks, as the dialect counts; 0 when unknown
	Storage      string    // the kind of it, where that matters
	Unversioned  bool      // no snapshot can hold its rows
	History      bool      // older versions of its rows are in it
	Readable     bool      // the user has SELECT on it
}

// The kinds of relations.
const (
	KindTable = "table"
	KindView  = "view"
)

// IsTable reports whether it holds its rows itself. All else may have no key and be costly to read, so it has to be
// named.
func (r *Relation) IsTable() bool { return r.Kind == KindTable }

// Known is the relation as the table list is compared with it.
func (r *Relation) Known() Known {
	return Known{Schema: cmp.Or(r.Match[0], r.Schema), Name: cmp.Or(r.Match[1], r.Name), Table: r.IsTable(), Why: r.Why}
}

// Asks reports whether the list asks for a relation.
func (l *TableList) Asks(r *Relation) bool {
	k := r.Known()
	return (k.Table || l.Names(k.Schema, k.Name)) && l.Wants(k.Schema, k.Name)
}

// Selection is a rule whose tables were found. A rule is a part, and belongs to the tables that it names: after them
// its documents are called, and by them deletes are decided.
type Selection struct {
	*Rule
	Tables []Relation
}

// Select finds the tables of a rule among relations, as they are given. matches reports whether an entry names one.
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

// SelectOne finds the tables of a rule in all schemas, in the order of their names. A name that is in several of
// them is refused.
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

// add adds a table, which counts once.
func (s *Selection) add(r *Relation) {
	if !slices.ContainsFunc(s.Tables, func(t Relation) bool { return t.Schema == r.Schema && t.Name == r.Name }) {
		s.Tables = append(s.Tables, *r)
	}
}

// Names are those of the tables, in their order.
func (s *Selection) Names() (names []string) {
	for i := range s.Tables {
		names = append(names, s.Tables[i].Name)
	}
	return names
}

// Schemas are those of the tables, each once.
func (s *Selection) Schemas() (names []string) {
	for i := range s.Tables {
		names = append(names, s.Tables[i].Schema)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Whole is the relation that stands for the tables of a rule where they lie in schemas of one database.
func (s *Selection) Whole(q Quote) Relation {
	schemas, names := s.Schemas(), s.Names()
	return Relation{Schema: strings.Join(schemas, "_"), Name: strings.Join(names, "_"), Scope: q.SchemaScope(schemas, names)}
}

// AbsentError says that tables of rules do not exist. where ends what is said of them.
func AbsentError(missing []string, where, hint string) error {
	slices.Sort(missing)
	return form.ConfigError(fmt.Errorf("advanced_rules: there is no table %s%s", strings.Join(slices.Compact(missing), ", "), where), hint)
}
