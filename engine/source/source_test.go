package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/field"
)

func TestErrorText(t *testing.T) {
	t.Parallel()
	cause := errors.New("access denied for user 'etl'")
	tests := []struct {
		name string
		err  Error
		want string
	}{
		{"of the complete source", Error{Kind: ErrAuth, Err: cause}, "access denied for user 'etl'"},
		{"of a part", Error{Part: "orders", Err: cause}, "orders: access denied for user 'etl'"},
		{"of a document", Error{Part: "orders", ID: "5\n", Err: cause}, `orders: document "5\n": access denied for user 'etl'`},
		{"of a document without a part", Error{ID: "5", Err: cause}, `document "5": access denied for user 'etl'`},
		{"the hint is not part of it", Error{Err: cause, Hint: "grant SELECT"}, "access denied for user 'etl'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestErrorKindAndCauseAreFound(t *testing.T) {
	t.Parallel()
	kinds := []error{ErrConfig, ErrAuth, ErrUnreachable, ErrTemporary}
	for _, kind := range append([]error{nil}, kinds...) {
		err := fmt.Errorf("read: %w", &Error{Kind: kind, Part: "p", Err: fmt.Errorf("open: %w", fs.ErrNotExist)})
		for _, k := range kinds {
			if got := errors.Is(err, k); got != errors.Is(kind, k) {
				t.Errorf("kind %v: errors.Is(%v) = %v", kind, k, got)
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("kind %v: the cause is not found", kind)
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Part != "p" {
			t.Errorf("kind %v: the error is not found", kind)
		}
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	cause := errors.New("x")
	inner := &Error{Err: cause, Hint: "grant SELECT"}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"none", cause, ""},
		{"nil", nil, ""},
		{"one", inner, "grant SELECT"},
		{"wrapped", fmt.Errorf("read: %w", inner), "grant SELECT"},
		{"the outer one is the first", &Error{Err: inner, Hint: "list the tables"}, "list the tables"},
		{"an outer error without one", &Error{Part: "orders", Err: fmt.Errorf("read: %w", inner)}, "grant SELECT"},
		{"among several", errors.Join(cause, &Error{Err: cause}, inner), "grant SELECT"},
		{"the first among several", errors.Join(&Error{Err: cause, Hint: "a"}, inner), "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Hint(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAPartEndsOnlyWithACallOfEnd(t *testing.T) {
	t.Parallel()
	var e Ending
	if e.Ended() {
		t.Error("it ended before the call of End")
	}
	if e.End(); !e.Ended() {
		t.Error("it did not end with the call of End")
	}
}

func newType(name string) Type {
	return Type{Name: name, Title: "T " + name, Open: func(context.Context, field.Values, Env) (Source, error) {
		return nil, ErrConfig
	}}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	types := []Type{newType("mysql"), newType("dir"), newType("s3")}
	r := MustRegistry(types...)
	types[0] = newType("changed")
	if got, want := r.Names(), []string{"dir", "mysql", "s3"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %v, want %v", got, want)
	}
	got := r.Types()
	got[0] = newType("changed")
	for _, name := range []string{"dir", "mysql", "s3"} {
		if typ, ok := r.Lookup(name); !ok || typ.Name != name || typ.Title != "T "+name {
			t.Errorf("Lookup(%q) = %+v, %v", name, typ, ok)
		}
	}
	for _, name := range []string{"", "changed", "DIR", "dir "} {
		if _, ok := r.Lookup(name); ok {
			t.Errorf("Lookup(%q) found something", name)
		}
	}
	if names := MustRegistry().Names(); len(names) != 0 {
		t.Errorf("an empty registry knows %v", names)
	}
}

func TestMustRegistryPanics(t *testing.T) {
	t.Parallel()
	withoutOpen := newType("a")
	withoutOpen.Open = nil
	for name, types := range map[string][]Type{
		"an empty name": {newType("a"), newType("")},
		"a name twice":  {newType("a"), newType("b"), newType("a")},
		"without Open":  {withoutOpen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			MustRegistry(types...)
		})
	}
}
