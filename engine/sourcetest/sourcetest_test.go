package sourcetest

import (
	"context"
	"errors"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestRunAcceptsASourceThatKeepsTheContract(t *testing.T) {
	Run(t, memoryConfig(faults{}))
}

// check runs one case by its name, in the way of Run.
func check(t *testing.T, cfg Config, name string) error {
	t.Helper()
	s := newSuite(cfg, cfg.Values(t))
	if cfg.FailingPart != nil {
		s.failingPart = func() FailingPart { return cfg.FailingPart(t) }
	}
	if cfg.FailingContent != nil {
		s.failingContent = func() FailingContent { return cfg.FailingContent(t) }
	}
	if cfg.Changing != nil {
		s.changing = func() Changing { return cfg.Changing(t) }
	}
	for _, c := range cases() {
		if c.name == name {
			return c.check(s, t.Context())
		}
	}
	t.Fatalf("there is no case %q", name)
	return nil
}

// Not parallel, because goroutines and files of the process are counted.
func TestCasesNotice(t *testing.T) {
	tests := []struct {
		fault  string
		faults faults
		by     string
	}{
		{"two fields of one name", faults{twoFieldsOneName: true}, "Fields"},
		{"no ScopeOf", faults{noScopeOf: true}, "Fields"},
		{"never valid", faults{validateFails: true}, "Validate"},
		{"Close fails", faults{closeFails: true}, "Validate"},
		{"Ping ignores its context", faults{pingDeaf: true}, "Ping"},
		{"parts differ between runs", faults{unstableParts: true}, "PartsStable"},
		{"two parts of one name", faults{twoPartsOneName: true}, "PartsStable"},
		{"too little data", faults{onePart: true}, "PartsStable"},
		{"empty id", faults{emptyID: true}, "Documents"},
		{"field twice", faults{doubleField: true}, "Documents"},
		{"JSON that is not", faults{badJSON: true}, "Documents"},
		{"one id twice", faults{doubleID: true}, "IDsUniqueAndStable"},
		{"ids differ between runs", faults{unstableID: true}, "IDsUniqueAndStable"},
		{"fields differ between runs", faults{unstableField: true}, "IDsUniqueAndStable"},
		{"ScopeOf tells another scope", faults{wrongScope: true}, "ScopeOf"},
		{"ScopeOf makes a scope up", faults{scopeFromNothing: true}, "ScopeOf"},
		{"Describers that the type does not promise", faults{describesUnsaid: true}, "Described"},
		{"parts that are no Describers", faults{describesNothing: true}, "Described"},
		{"Describe fails", faults{describeFails: true}, "Described"},
		{"a field that is not described", faults{undescribed: true}, "Described"},
		{"a value of another kind", faults{wrongKind: true}, "Described"},
		{"a common field of another kind", faults{wrongCommonKind: true}, "Described"},
		{"a kind that there is not", faults{strangeKind: true}, "Described"},
		{"a field that is described twice", faults{describedTwice: true}, "Described"},
		{"descriptions differ between runs", faults{unstableDescription: true}, "Described"},
		{"ids of another prefix", faults{wrongIDPrefix: true}, "Described"},
		{"ids that are not numeric", faults{wrongNumericIDs: true}, "Described"},
		{"Parts ignores its context", faults{deafParts: true}, "CancelMidway"},
		{"Documents does not say that it was at its end", faults{endless: true}, "Documents"},
		{"Documents ends silently when cancelled", faults{deafDocuments: true}, "CancelMidway"},
		{"broken configuration accepted", faults{brokenAccepted: true}, "BrokenIsTyped"},
		{"broken configuration without a kind", faults{brokenUntyped: true}, "BrokenIsTyped"},
		{"one part fails the list", faults{listFails: true}, "FailingPartIsTyped"},
		{"failing part ends silently", faults{partSilent: true}, "FailingPartIsTyped"},
		{"failing part without a kind", faults{partUntyped: true}, "FailingPartIsTyped"},
		{"parts cannot be read at the same time", faults{serialOnly: true}, "PartsInParallel"},
		{"content differs each time", faults{contentDiffers: true}, "ContentTwice"},
		{"content longer than listed", faults{contentLonger: true}, "ContentTwice"},
		{"content outlives its end", faults{contentImmortal: true}, "ContentFails"},
		{"a change that is not told", faults{changeMissed: true}, "ChangesAreTold"},
		{"a change that was none", faults{changeInvented: true}, "ChangesAreTold"},
		{"a document that was not named", faults{changeUnnamed: true}, "ChangesAreTold"},
		{"changes that do not say that they were read", faults{changeEndless: true}, "ChangesAreTold"},
		{"a deleted document that is yielded", faults{deletedYielded: true}, "ChangesAreTold"},
		{"changes are told again", faults{placeStays: true}, "ChangesAreTold"},
		{"a place that is no object of texts", faults{placeNested: true}, "ChangesAreTold"},
		{"a place of another source is taken", faults{placeOfAnother: true}, "ChangesAreTold"},
		{"file left open", faults{leakFile: true}, "EarlyBreakReleases"},
		{"goroutine left", faults{leakGoroutine: true}, "NoGoroutineLeft"},
		{"goroutine left after a break", faults{leakGoroutine: true}, "EarlyBreakReleases"},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			if err := check(t, memoryConfig(tt.faults), tt.by); err == nil {
				t.Errorf("%s accepts it", tt.by)
			}
		})
	}
}

func TestNothingIsSkippedWithoutAReason(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, by string
		change   func(*Config)
		wantSkip bool
	}{
		{"no failing part", "FailingPartIsTyped", func(c *Config) { c.FailingPart = nil }, false},
		{"no failing part, reason", "FailingPartIsTyped", func(c *Config) { c.FailingPart, c.NoFailingPart = nil, "x" }, true},
		{"no failing content", "ContentFails", func(c *Config) { c.FailingContent = nil }, false},
		{"no failing content, reason", "ContentFails", func(c *Config) { c.FailingContent, c.NoFailingContent = nil, "x" }, true},
		{"changes that were not seeded", "ChangesAreTold", func(c *Config) {
			c.Changing, c.Values = nil, func(*testing.T) map[string]any { return map[string]any{"follow": true} }
		}, false},
		{"no changes, reason", "ChangesAreTold", func(c *Config) { c.Changing, c.NoChanges = nil, "x" }, true},
		{"a source without changes", "ChangesAreTold", func(c *Config) { c.Changing = nil }, true},
		{"changes, and a reason against them", "ChangesAreTold", func(c *Config) { c.NoChanges = "x" }, false},
		{"changes of a source that has none", "ChangesAreTold", func(c *Config) {
			c.Changing = func(*testing.T) Changing { return Changing{} }
		}, false},
		{"reason against content that is there", "ContentTwice", func(c *Config) { c.NoContent = "x" }, false},
		{"no broken configuration", "BrokenIsTyped", func(c *Config) { c.Broken = nil }, false},
		{"broken configuration of another kind", "BrokenIsTyped", func(c *Config) {
			c.Broken["user"] = Broken{Values: c.Broken["user"].Values, Kind: source.ErrTemporary}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := memoryConfig(faults{})
			tt.change(&cfg)
			err := check(t, cfg, tt.by)
			if err == nil || errors.Is(err, errSkip) != tt.wantSkip {
				t.Errorf("got %v, want skipped %t", err, tt.wantSkip)
			}
		})
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

// A context that ends stops the suite rather than the whole test binary.
func TestFilesReleasedGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if openFiles().files > 0 && filesReleased(ctx, open{}) == nil {
		t.Error("files are open, and filesReleased says none is")
	}
}
