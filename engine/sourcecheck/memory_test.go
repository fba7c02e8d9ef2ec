package sourcecheck

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync/atomic"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/field"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// faults are the ways in which the in-memory source can break the contract.
type faults struct {
	panics, panicsInParallel, describePanics                                                   bool
	twoFieldsOneName, noScopeOf, scopeFromNothing, wrongScope, titleElsewhere, secretIdentity  bool
	pingDeaf, validateFails, closeFails                                                        bool
	unstableParts, twoPartsOneName, onePart, nameless, nameElsewhere, brokenScope, crookedTree bool
	emptyID, doubleID, unstableID, unstableField, doubleField, badJSON, contentUnopenable      bool
	undated, unstableDate, tagNumber, tagMissing                                               bool
	endless, deafParts, deafDocuments, serialOnly                                              bool
	partsContinue, documentsContinue, failingContinues, endsTooSoon                            bool
	contentDiffers, contentLonger, contentImmortal                                             bool
	brokenAccepted, brokenUntyped, listFails, partSilent, partUntyped, partMisnamed            bool
	unmatchedNone, unmatchedAll                                                                bool
	describesUnsaid, describesNothing, describeFails, undescribed                              bool
	wrongKind, wrongCommonKind, commonMissing, strangeKind, describedTwice                     bool
	unstableDescription, wrongIDPrefix, wrongNumericIDs                                        bool
	profileRefused, encodingRefused, rulesAccepted, rulesUntyped                               bool
	idsOnlyFewer, idsOnlyScopeless, estimateNegative, estimateSpent                            bool
	hiddenYields, hiddenEnds, hiddenShown                                                      bool
	nothingSelected, nothingUntyped, everythingRefused                                         bool
	lossRepeats, lossSkips, lossFails, lossNone                                                bool
	listsNoOne, unrestricted, unprefixed, identityQueryless, identityTwice, unstableIdentity   bool
	changeMissed, changeInvented, changeUnnamed, changeEndless, changeStale, changeScopeless   bool
	deletedYielded, deletedRead, placeStays, placeNested, placeOfAnother, placeBack            bool
	changeForgets, scopesVanish, emptyChange, namesOnce                                        bool
}

// memoryType is the type of the in-memory source. runs counts how often it was opened, for the unstable faults.
func memoryType(f faults, runs *atomic.Int64) source.Type {
	t := source.Type{
		Name: "memory", Title: "Memory",
		Fields: []field.Spec{
			{Name: "user", Label: "User", Order: 1, Value: "me"},
			{Name: "missing", Label: "Missing part", Order: 2, Optional: true},
			{Name: "follow", Label: "Follow changes", Order: 3, Type: field.Bool, Display: field.Toggle, Value: false},
			{Name: "hide", Label: "Hide a part", Order: 4, Type: field.Bool, Display: field.Toggle, Value: false},
			{Name: "pattern", Label: "Pattern", Order: 5, Value: "*"},
			{Name: "key", Label: "Key", Order: 6, Optional: true, Sensitive: true},
		},
		ScopeFields: []string{"folder"}, TitleField: "folder", VersionFields: []string{"tag"}, Tree: true,
		Profiles: []string{"native"}, Encodings: []string{"compat"},
		AdvancedRules: true, AccessControl: true, Describes: !f.describesUnsaid,
		VersionPerDocument: func(field.Values) bool { return true },
		IdentityFields:     source.Identity("user"),
		CommonFields: func(field.Values) []source.DescribedField {
			return []source.DescribedField{{Name: "folder", Kind: source.Keyword}, {Name: "tag", Kind: source.Keyword}}
		},
		ScopeOf: func(_ field.Values, fields map[string]any) (string, bool) {
			s, ok := fields["folder"].(string)
			return s, ok || f.scopeFromNothing
		},
		Open: func(_ context.Context, v field.Values, env source.Env) (source.Source, error) {
			return openMemory(f, runs.Add(1), v, env)
		},
	}
	common := t.CommonFields(field.Values{})
	switch {
	case f.twoFieldsOneName:
		t.Fields[1].Name = "user"
	case f.titleElsewhere:
		t.TitleField = "tag"
	case f.secretIdentity:
		t.IdentityFields = source.Identity("key")
	case f.wrongCommonKind:
		common[0].Kind = source.Date
	case f.commonMissing:
		common = append(common, source.DescribedField{Name: "owner", Kind: source.Keyword})
	case f.noScopeOf:
		t.ScopeOf = nil
	}
	t.CommonFields = func(field.Values) []source.DescribedField { return common }
	return t
}

func openMemory(f faults, run int64, v field.Values, env source.Env) (source.Source, error) {
	m := &memory{
		faults: f, run: run, env: env, second: make(chan struct{}), history: []int{0},
		user: v.String("user"), missing: v.String("missing"), pattern: v.String("pattern"), hide: v.Bool("hide"),
	}
	switch {
	case env.Profile != "" && f.profileRefused, env.Encoding != "" && f.encodingRefused:
		return nil, errors.New("unknown profile or encoding")
	case env.AdvancedRules != nil && f.rulesUntyped:
		return nil, errors.New("invalid rules")
	case env.AdvancedRules != nil && !f.rulesAccepted:
		return nil, &source.Error{Kind: source.ErrConfig, Err: errors.New("invalid rules")}
	case f.listsNoOne:
		return struct{ source.Source }{m}, nil
	case v.Bool("follow"):
		return following{m}, nil
	}
	return m, nil
}

// memory is a source of two parts, a and b, of three documents each.
type memory struct {
	faults
	run                    int64
	env                    source.Env
	user, missing, pattern string
	hide                   bool
	second                 chan struct{} // closed when part b starts
	gone, broken           atomic.Bool
	lost                   atomic.Int64
	asked                  int   // number of requests for the position
	history                []int // numbers of documents of part a that changed
}

var (
	_ source.Selective    = (*memory)(nil)
	_ source.AccessLister = (*memory)(nil)
)

func (m *memory) Validate(context.Context) error {
	if m.validateFails {
		return errors.New("never valid")
	}
	return nil
}

func (m *memory) Ping(ctx context.Context) error {
	switch {
	case ctx.Err() != nil && !m.pingDeaf:
		return ctx.Err()
	case m.user == "me" || m.brokenAccepted:
		return nil
	case m.brokenUntyped:
		return errors.New("unknown user")
	}
	return &source.Error{Kind: source.ErrAuth, Err: errors.New("unknown user")}
}

func (m *memory) Close() error {
	if m.closeFails {
		return errors.New("stuck")
	}
	return nil
}

func (m *memory) Selects(context.Context) error {
	switch {
	case m.everythingRefused, m.pattern == "?" && m.nothingUntyped:
		return errors.New("nothing matches")
	case m.pattern == "?" && !m.nothingSelected:
		return &source.Error{Kind: source.ErrConfig, Err: errors.New("nothing matches")}
	}
	return nil
}

func (m *memory) Identities(context.Context) iter.Seq2[document.Document, error] {
	return func(yield func(document.Document, error) bool) {
		list := document.List([]document.Value{document.String("user:ann"), document.String("group:a")})
		object := func(name string, v document.Value) document.Value {
			return document.Object([]document.Field{{Name: name, Value: v}})
		}
		doc := document.Document{ID: "ann", Fields: []document.Field{
			{Name: "query", Value: object("template", object("params", object("access_control", list)))},
		}}
		m.asked++
		switch {
		case m.identityQueryless:
			doc.Fields = []document.Field{{Name: "principals", Value: list}}
		case m.identityTwice && !yield(doc, nil):
			return
		case m.unstableIdentity && m.asked > 1:
			doc.ID = "bob"
		}
		yield(doc, nil)
	}
}

func (m *memory) Parts(ctx context.Context) iter.Seq2[source.Part, error] {
	return func(yield func(source.Part, error) bool) {
		for _, scope := range m.scopes() {
			if ctx.Err() != nil && !m.deafParts {
				if !yield(nil, ctx.Err()) || !m.partsContinue {
					return
				}
			}
			if m.listFails && scope == m.missing {
				yield(nil, errors.New("cannot list"))
				return
			}
			if !yield(m.part(scope), nil) {
				return
			}
		}
		if m.hide {
			h := &memoryPart{memory: m, scope: "h"}
			if m.hiddenEnds {
				h.End()
			}
			if m.hiddenShown {
				yield(h, nil)
				return
			}
			yield(hiddenPart{h}, nil)
		}
	}
}

func (m *memory) scopes() []string {
	scopes := []string{"a", "b"}
	switch {
	case m.onePart:
		scopes = scopes[:1]
	case m.unstableParts && m.run%2 == 0:
		scopes[1] = "c"
	case m.brokenScope:
		scopes[1] = "\xff"
	case m.crookedTree:
		scopes[1] = "b/../b"
	}
	return scopes
}

func (m *memory) part(scope string) source.Part {
	part := source.Part(&memoryPart{memory: m, scope: scope})
	if m.describesNothing {
		return struct{ source.Part }{part}
	}
	return part
}

// hiddenPart is a part that exists but is not visible.
type hiddenPart struct{ *memoryPart }

func (h hiddenPart) Hidden() {}

func (h hiddenPart) Documents(ctx context.Context) iter.Seq2[document.Document, error] {
	if h.hiddenYields {
		return h.memoryPart.Documents(ctx)
	}
	return func(yield func(document.Document, error) bool) { yield(document.Document{}, h.failure()) }
}

// memoryConfig is the source with its faults, and the data and faults that the cases need.
func memoryConfig(f faults) *Source {
	var runs atomic.Int64
	var opened *memory
	t := memoryType(f, &runs)
	plain := t.Open
	t.Open = func(ctx context.Context, v field.Values, env source.Env) (source.Source, error) {
		src, err := plain(ctx, v, env)
		switch s := src.(type) {
		case *memory:
			opened = s
		case following:
			opened = s.memory
		}
		return src, err
	}
	return &Source{
		Type:   t,
		Broken: map[string]Broken{"user": {Values: map[string]any{"user": "you"}, Kind: source.ErrAuth}},
		FailingPart: func() FailingPart {
			return FailingPart{Values: map[string]any{"missing": "b"}, Scope: "b", Kind: source.ErrAuth}
		},
		FailingContent: func() FailingContent {
			return FailingContent{ID: "a1", Break: func() { opened.gone.Store(true) }, Want: fs.ErrNotExist}
		},
		Loss: func() Loss {
			return Loss{Break: func() { opened.broken.Store(true) }, Lost: func() int { return int(opened.lost.Load()) }}
		},
		Changing: func() Changing {
			return Changing{Values: map[string]any{"follow": true}, Change: func() (created, changed, deleted []string) {
				opened.history = append(opened.history, 1, 2, 3)
				return []string{"a1"}, []string{"a2"}, []string{"a3"}
			}}
		},
		HiddenPart:    func() HiddenPart { return HiddenPart{Values: map[string]any{"hide": true}, Scope: "h"} },
		NothingChosen: func() NothingChosen { return NothingChosen{Values: map[string]any{"pattern": "?"}} },
	}
}

// place is the current position in the history.
func (m *memory) place(n int) source.Cursor {
	if m.placeNested {
		return source.Cursor(fmt.Sprintf(`{"at":%d}`, n))
	}
	return source.Cursor(fmt.Sprintf(`{"at":"%d"}`, n))
}
