package sourcecheck

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// check runs the case with a name.
func check(t *testing.T, s *Source, name string) error {
	t.Helper()
	for _, c := range Cases() {
		if c.Name == name {
			return c.Check(t.Context(), s)
		}
	}
	t.Fatalf("there is no case %q", name)
	return nil
}

func TestASourceThatKeepsTheContractPasses(t *testing.T) {
	t.Parallel()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if err := c.Check(t.Context(), memoryConfig(faults{})); err != nil {
				t.Error(err)
			}
		})
	}
}

// wrong is a source that breaks one promise.
type wrong struct {
	fault    string
	faults   faults
	by       string // the case that finds the fault
	part, id string // the place that the error must name
}

var wrongs = []wrong{
	{"two fields of one name", faults{twoFieldsOneName: true}, "Fields", "", ""},
	{"no ScopeOf", faults{noScopeOf: true}, "Fields", "", ""},
	{"a title outside the scope fields", faults{titleElsewhere: true}, "Fields", "", ""},
	{"an identity that is a secret", faults{secretIdentity: true}, "Fields", "", ""},
	{"never valid", faults{validateFails: true}, "Validate", "", ""},
	{"Close fails", faults{closeFails: true}, "Validate", "", ""},
	{"Ping ignores its context", faults{pingDeaf: true}, "Ping", "", ""},
	{"parts differ between runs", faults{unstableParts: true}, "PartsStable", "b", ""},
	{"two parts of one name", faults{twoPartsOneName: true}, "PartsStable", "ab", ""},
	{"too little data", faults{onePart: true}, "PartsStable", "", ""},
	{"a part without a name", faults{nameless: true}, "PartsStable", "", ""},
	{"a name without its scope", faults{nameElsewhere: true}, "PartsStable", "part 99", ""},
	{"a scope that no document can hold", faults{brokenScope: true}, "PartsStable", "\xff", ""},
	{"a scope that is not a path", faults{crookedTree: true}, "PartsStable", "b/../b", ""},
	{"a panic", faults{panics: true}, "Documents", "", ""},
	{"an empty id", faults{emptyID: true}, "Documents", "a", ""},
	{"a field twice", faults{doubleField: true}, "Documents", "a", "a0"},
	{"invalid JSON", faults{badJSON: true}, "Documents", "a", "a0"},
	{"content that cannot be opened", faults{contentUnopenable: true}, "Documents", "a", "a0"},
	{"no report of the end", faults{endless: true}, "Documents", "a", ""},
	{"a document twice", faults{doubleID: true}, "IDsUniqueAndStable", "a", "a0"},
	{"ids differ between runs", faults{unstableID: true}, "IDsUniqueAndStable", "a", "a01"},
	{"fields differ between runs", faults{unstableField: true}, "IDsUniqueAndStable", "a", "a0"},
	{"no timestamp", faults{undated: true}, "IDsUniqueAndStable", "a", "a0"},
	{"timestamps differ between runs", faults{unstableDate: true}, "IDsUniqueAndStable", "a", "a0"},
	{"another scope", faults{wrongScope: true}, "ScopeOf", "a", "a0"},
	{"an invented scope", faults{scopeFromNothing: true}, "ScopeOf", "", ""},
	{"a version that is not text", faults{tagNumber: true}, "VersionFields", "a", "a0"},
	{"a version that no document has", faults{tagMissing: true}, "VersionFields", "", ""},
	{"undeclared source.Describers", faults{describesUnsaid: true}, "Described", "a", ""},
	{"parts that are not source.Describers", faults{describesNothing: true}, "Described", "a", ""},
	{"Describe panics", faults{describePanics: true}, "Described", "a", ""},
	{"Describe fails", faults{describeFails: true}, "Described", "a", ""},
	{"a field that is not described", faults{undescribed: true}, "Described", "a", "a0"},
	{"a value of another kind", faults{wrongKind: true}, "Described", "a", "a0"},
	{"a common field of another kind", faults{wrongCommonKind: true}, "Described", "a", "a0"},
	{"a common field that no document has", faults{commonMissing: true}, "Described", "", ""},
	{"a kind that does not exist", faults{strangeKind: true}, "Described", "a", ""},
	{"a field that is described twice", faults{describedTwice: true}, "Described", "a", ""},
	{"descriptions differ between runs", faults{unstableDescription: true}, "Described", "*", ""},
	{"ids with another prefix", faults{wrongIDPrefix: true}, "Described", "a", "a0"},
	{"ids that are not numeric", faults{wrongNumericIDs: true}, "Described", "a", "a0"},
	{"a profile that cannot be used", faults{profileRefused: true}, "Profiles", "", ""},
	{"an encoding that cannot be used", faults{encodingRefused: true}, "Profiles", "", ""},
	{"invalid rules accepted", faults{rulesAccepted: true}, "AdvancedRules", "", ""},
	{"invalid rules refused without a kind", faults{rulesUntyped: true}, "AdvancedRules", "", ""},
	{"fewer ids", faults{idsOnlyFewer: true}, "IDsOnly", "a", "a2"},
	{"ids without a scope", faults{idsOnlyScopeless: true}, "IDsOnly", "a", "a0"},
	{"a negative estimate", faults{estimateNegative: true}, "Estimator", "a", ""},
	{"a negative estimate after reading", faults{estimateSpent: true}, "Estimator", "a", ""},
	{"a hidden part that yields documents", faults{hiddenYields: true}, "Hidden", "h", ""},
	{"a hidden part that ends", faults{hiddenEnds: true}, "Hidden", "h", ""},
	{"a hidden part that is not hidden", faults{hiddenShown: true}, "Hidden", "h", ""},
	{"nothing chosen without an error", faults{nothingSelected: true}, "Selective", "", ""},
	{"nothing chosen without a kind", faults{nothingUntyped: true}, "Selective", "", ""},
	{"an error although something is chosen", faults{everythingRefused: true}, "Selective", "", ""},
	{"no source.AccessLister", faults{listsNoOne: true}, "AccessLister", "", ""},
	{"documents without principals", faults{unrestricted: true}, "AccessLister", "", ""},
	{"principals without a prefix", faults{unprefixed: true}, "AccessLister", "a", "a0"},
	{"an identity without a query", faults{identityQueryless: true}, "AccessLister", "identities", "ann"},
	{"an identity twice", faults{identityTwice: true}, "AccessLister", "identities", "ann"},
	{"identities differ", faults{unstableIdentity: true}, "AccessLister", "identities", "ann"},
	{"a sequence that continues after a break", faults{documentsContinue: true}, "EarlyBreakReleases", "a", ""},
	{"an end after a break", faults{endsTooSoon: true}, "EarlyBreakReleases", "a", ""},
	{"Parts ignores its context", faults{deafParts: true}, "CancelMidway", "", ""},
	{"Parts continues after an error", faults{partsContinue: true}, "CancelMidway", "", ""},
	{"Documents ends silently when canceled", faults{deafDocuments: true}, "CancelMidway", "a", ""},
	{"an end when canceled", faults{endsTooSoon: true}, "CancelMidway", "a", ""},
	{"a broken configuration accepted", faults{brokenAccepted: true}, "BrokenIsTyped", "", ""},
	{"a broken configuration without a kind", faults{brokenUntyped: true}, "BrokenIsTyped", "", ""},
	{"one part fails the list", faults{listFails: true}, "FailingPartIsTyped", "", ""},
	{"a failing part that ends silently", faults{partSilent: true}, "FailingPartIsTyped", "b", ""},
	{"a failing part without a kind", faults{partUntyped: true}, "FailingPartIsTyped", "b", ""},
	{"a failing part that names another", faults{partMisnamed: true}, "FailingPartIsTyped", "b", ""},
	{"a failing part that continues", faults{failingContinues: true}, "FailingPartIsTyped", "b", ""},
	{"a failing part that ends", faults{endsTooSoon: true}, "FailingPartIsTyped", "b", ""},
	{"a missing part that does not match itself", faults{unmatchedNone: true}, "FailingPartIsTyped", "b", ""},
	{"a missing part that matches all parts", faults{unmatchedAll: true}, "FailingPartIsTyped", "b", ""},
	{"a document twice after a loss", faults{lossRepeats: true}, "LossRepeatsNothing", "a", "a0"},
	{"a document missing after a loss", faults{lossSkips: true}, "LossRepeatsNothing", "a", "a1"},
	{"no document after a loss", faults{lossFails: true}, "LossRepeatsNothing", "a", ""},
	{"no loss", faults{lossNone: true}, "LossRepeatsNothing", "", ""},
	{"a panic while others read", faults{panicsInParallel: true}, "PartsInParallel", "*", ""},
	{"parts that cannot be read concurrently", faults{serialOnly: true}, "PartsInParallel", "*", ""},
	{"content that differs each time", faults{contentDiffers: true}, "ContentTwice", "a", "a0"},
	{"content that is longer than listed", faults{contentLonger: true}, "ContentTwice", "a", "a0"},
	{"content that can be read after it was deleted", faults{contentImmortal: true}, "ContentFails", "a", "a1"},
	{"a change that is not reported", faults{changeMissed: true}, "ChangesAreReported", "", ""},
	{"a document that did not change", faults{changeInvented: true}, "ChangesAreReported", "", ""},
	{"a document outside the changed ids", faults{changeUnnamed: true}, "ChangesAreReported", "a", "a0"},
	{"changes without a report of their end", faults{changeEndless: true}, "ChangesAreReported", "a", ""},
	{"ids that can be requested only once", faults{namesOnce: true}, "ChangesAreReported", "a", ""},
	{"a deleted document that is yielded", faults{deletedYielded: true}, "ChangesAreReported", "", ""},
	{"a deleted document that is still read", faults{deletedRead: true}, "ChangesAreReported", "a", "a3"},
	{"an outdated document", faults{changeStale: true}, "ChangesAreReported", "a", "a1"},
	{"changes of a scope that is not followed", faults{changeScopeless: true}, "ChangesAreReported", "a", ""},
	{"no scope without changes", faults{changeForgets: true}, "ChangesAreReported", "", ""},
	{"fewer scopes without changes", faults{scopesVanish: true}, "ChangesAreReported", "", ""},
	{"a part without changes", faults{emptyChange: true}, "ChangesAreReported", "*", ""},
	{"changes that are reported again", faults{placeStays: true}, "ChangesAreReported", "", ""},
	{"a position that moves backward", faults{placeBack: true}, "ChangesAreReported", "", ""},
	{"a position that is not an object of texts", faults{placeNested: true}, "ChangesAreReported", "", ""},
	{"a position of another source is accepted", faults{placeOfAnother: true}, "ChangesAreReported", "", ""},
}

// anyPart is a place that depends on which part is first.
const anyPart = "*"

func TestCasesFindWrongSources(t *testing.T) {
	t.Parallel()
	for _, tt := range wrongs {
		t.Run(tt.by+"/"+tt.fault, func(t *testing.T) {
			t.Parallel()
			err := check(t, memoryConfig(tt.faults), tt.by)
			f, ok := errors.AsType[*Failure](err)
			switch {
			case !ok:
				t.Fatalf("got %v, want a failure", err)
			case f.Case != tt.by || f.Promise == "" || !strings.HasPrefix(f.Error(), tt.by+": ") || !strings.Contains(f.Error(), f.Promise):
				t.Errorf("the failure does not name its case and promise: %v", err)
			case tt.part != anyPart && (f.Part != tt.part || f.ID != tt.id):
				t.Errorf("it is about part %q, document %q; want %q, %q: %v", f.Part, f.ID, tt.part, tt.id, err)
			}
		})
	}
}

// TestEveryCaseFindsSomething: a case without a faulty source might find nothing at all.
func TestEveryCaseFindsSomething(t *testing.T) {
	t.Parallel()
	for _, c := range Cases() {
		if !slices.ContainsFunc(wrongs, func(w wrong) bool { return w.by == c.Name }) {
			t.Errorf("no faulty source for %s", c.Name)
		}
	}
}

func TestNothingIsLeftOutWithoutAReason(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, by string
		change   func(*Source)
		leftOut  bool
	}{
		{"no failing part", "FailingPartIsTyped", func(s *Source) { s.FailingPart = nil }, false},
		{"no failing part, reason", "FailingPartIsTyped", func(s *Source) { s.FailingPart, s.NoFailingPart = nil, "x" }, true},
		{"no failing content", "ContentFails", func(s *Source) { s.FailingContent = nil }, false},
		{"no failing content, reason", "ContentFails", func(s *Source) { s.FailingContent, s.NoFailingContent = nil, "x" }, true},
		{"no loss", "LossRepeatsNothing", func(s *Source) { s.Loss = nil }, false},
		{"no loss, reason", "LossRepeatsNothing", func(s *Source) { s.Loss, s.NoLoss = nil, "x" }, true},
		{"no changes", "ChangesAreReported", func(s *Source) { s.Changing, s.Values = nil, map[string]any{"follow": true} }, false},
		{"no changes, reason", "ChangesAreReported", func(s *Source) { s.Changing, s.NoChanges = nil, "x" }, true},
		{"a source without changes", "ChangesAreReported", func(s *Source) { s.Changing = nil }, true},
		{"changes, and a reason against them", "ChangesAreReported", func(s *Source) { s.NoChanges = "x" }, false},
		{"Changing with a source that is not a Changer", "ChangesAreReported", func(s *Source) { s.Changing = func() Changing { return Changing{} } }, false},
		{"a reason against content that exists", "ContentTwice", func(s *Source) { s.NoContent = "x" }, false},
		{"no hidden part", "Hidden", func(s *Source) { s.HiddenPart = nil }, true},
		{"a pattern without NothingChosen", "Selective", func(s *Source) { s.NothingChosen = nil }, false},
		{"no profile", "Profiles", func(s *Source) { s.Type.Profiles, s.Type.Encodings = nil, nil }, true},
		{"no advanced rules", "AdvancedRules", func(s *Source) { s.Type.AdvancedRules = false }, true},
		{"no version fields", "VersionFields", func(s *Source) { s.Type.VersionFields, s.Type.TitleField = nil, "" }, true},
		{"no broken configuration", "BrokenIsTyped", func(s *Source) { s.Broken = nil }, false},
		{"a broken configuration of another kind", "BrokenIsTyped", func(s *Source) {
			s.Broken["user"] = Broken{Values: s.Broken["user"].Values, Kind: source.ErrTemporary}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := memoryConfig(faults{})
			tt.change(s)
			if err := check(t, s, tt.by); err == nil || errors.Is(err, ErrLeftOut) != tt.leftOut {
				t.Errorf("got %v, want left out: %t", err, tt.leftOut)
			}
		})
	}
}

// TestHiddenPartsOfTheDataAreJudged: they are checked even without HiddenPart, and no case reads them.
func TestHiddenPartsOfTheDataAreJudged(t *testing.T) {
	t.Parallel()
	for _, f := range []faults{{}, {hiddenYields: true}} {
		s := memoryConfig(f)
		s.HiddenPart, s.Values = nil, map[string]any{"hide": true}
		if err := check(t, s, "Hidden"); errors.Is(err, ErrLeftOut) || (err == nil) != (f == faults{}) {
			t.Errorf("hidden part that yields: %t: got %v", f.hiddenYields, err)
		}
		if err := check(t, s, "PartsInParallel"); err != nil {
			t.Error(err)
		}
	}
}

// TestPlainSourcesAreLeftOut: abilities that a source lacks need no explanation.
func TestPlainSourcesAreLeftOut(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"Estimator", "Selective", "AccessLister"} {
		s := memoryConfig(faults{listsNoOne: true, describesNothing: true})
		s.Type.AccessControl, s.NothingChosen = false, nil
		if err := check(t, s, by); !errors.Is(err, ErrLeftOut) {
			t.Errorf("%s: got %v", by, err)
		}
	}
}

// TestAReasonHidesNoOtherError: a case that is left out fails if the source cannot be closed.
func TestAReasonHidesNoOtherError(t *testing.T) {
	t.Parallel()
	s := memoryConfig(faults{listsNoOne: true, closeFails: true})
	s.Type.AccessControl = false
	if _, ok := errors.AsType[*Failure](check(t, s, "AccessLister")); !ok {
		t.Error("the case is left out")
	}
}

func TestValuesFitTheirKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     source.FieldKind
		yes, not []string // JSON
	}{
		{source.Text, []string{`"x"`, `1`, `true`, `{"a":[1]}`, `["a",1]`}, nil},
		{source.Keyword, []string{`"x"`, `["a",null]`}, []string{`1`, `true`, `{}`, `["a",1]`}},
		{source.Long, []string{`0`, `-9223372036854775808`, `[[1],[2,null]]`}, []string{`1.0`, `1e3`, `9223372036854775808`, `"1"`, `true`}},
		{source.UnsignedLong, []string{`0`, `18446744073709551615`, `"18446744073709551615"`}, []string{`-1`, `18446744073709551616`, `1.5`, `""`, `true`}},
		{source.Double, []string{`1`, `1.5`, `1e300`}, []string{`"1"`, `false`}},
		{source.Decimal, []string{`"12.50"`, `"-0.1"`, `12.5`, `"1e3"`}, []string{`"x"`, `""`, `true`}},
		{source.Boolean, []string{`true`, `[false]`}, []string{`"true"`, `1`}},
		{source.Date, []string{`"2024-01-02"`, `"2024-01-02T03:04:05Z"`, `"2024-01-02T03:04:05.123456789+02:00"`, `"2024-01-02T03:04:05.5"`}, []string{`"2024-02-30"`, `"03:04:05"`, `1`, `""`}},
		{source.Binary, []string{`""`, `"AP+A"`}, []string{`"x"`, `1`}},
		{source.IP, []string{`"10.0.0.1"`, `"2001:db8::1"`}, []string{`"10.0.0.0/8"`, `"x"`}},
		{source.Object, []string{`{}`, `[{"a":1}]`}, []string{`"x"`, `1`, `[1]`}},
	} {
		check := func(text string, want bool) {
			d := source.Description{Fields: []source.DescribedField{{Name: "v", Kind: tt.kind}}}
			doc := document.Document{ID: "1", Fields: []document.Field{{Name: "v", Value: document.Raw(text)}}}
			if err := Described(&d, source.Type{Describes: true}, nil, &doc); (err == nil) != want {
				t.Errorf("%s as %s: %v", text, tt.kind, err)
			}
		}
		check("null", true)
		for _, text := range tt.yes {
			check(text, true)
		}
		for _, text := range tt.not {
			check(text, false)
		}
	}
}

// TestTheCasesNeedNoTestingPackage: the cases can be linked into a program.
func TestTheCasesNeedNoTestingPackage(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "github.com/elastic-ingest/elastic-ingest/engine/source") {
		t.Errorf("go list says only %q", packages)
	}
	for _, p := range packages {
		if p == "testing" || strings.Contains(p, "goleak") {
			t.Errorf("it depends on %s", p)
		}
	}
}
