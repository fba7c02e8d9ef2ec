package sqlread

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestAfter(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		1: "a > ?",
		2: "a >= ? AND (a > ? OR (a = ? AND b > ?))",
		3: "a >= ? AND (a > ? OR (a = ? AND b >= ? AND (b > ? OR (b = ? AND c > ?))))",
	} {
		got := After(n, func(i int, operator string) string { return string(rune('a'+i)) + " " + operator + " ?" })
		if got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
}

func TestIndexes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		add  func(x *Indexes)
		want []string
	}{
		"none": {add: func(*Indexes) {}},
		"the primary key before a shorter one": {
			add: func(x *Indexes) {
				x.Add("u", false, "c", false)
				x.Add("p", true, "b", false)
				x.Add("p", true, "a", false)
			},
			want: []string{"b", "a"},
		},
		"the fewest columns": {
			add: func(x *Indexes) {
				x.Add("long", false, "a", false)
				x.Add("long", false, "b", false)
				x.Add("short", false, "c", false)
				x.Add("other", false, "d", false)
			},
			want: []string{"c"},
		},
		"one column of it is useless": {
			add: func(x *Indexes) {
				x.Add("u", false, "a", true)
				x.Add("u", false, "b", false)
			},
		},
	} {
		var x Indexes
		tt.add(&x)
		if got := x.Key(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	names := []string{"ID", "id", "Name"}
	for name, want := range map[string]int{"id": 1, "ID": 0, "iD": 0, "name": 2, "x": -1} {
		if got := Place(names, name); got != want {
			t.Errorf("%s: got %d", name, got)
		}
	}
}

func TestKeysOfRules(t *testing.T) {
	t.Parallel()
	columns := []string{"a", "B", "c"}
	got, err := PlaceKey("p", columns, []KeyColumn{{Name: "b"}, {Name: "a", Table: "t"}, {Name: "B", Table: "u"}})
	if err != nil || !slices.Equal(got, []int{1, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
	for want, k := range map[string]KeyColumn{
		`id_columns: the result of the query has no column "x"`: {Name: "x"},
		`query: its result lacks column "x" of the key of t`:    {Name: "x", Table: "t"},
	} {
		if _, err := PlaceKey("p", columns, []KeyColumn{k}); !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

func TestConfiguredKeys(t *testing.T) {
	t.Parallel()
	k := Keyed{Part: "p", What: "view", Entry: "v", Without: "-v", Columns: []string{"a", "b"}}
	if got, err := k.Key([]string{"B", "a", "b"}); err != nil || !slices.Equal(got, []int{1, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
	for want, named := range map[string][]string{
		"a view has no key":          nil,
		`the view has no column "x"`: {"a", "x"},
	} {
		if _, err := k.Key(named); !errors.Is(err, source.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
	k.IsTable, k.Columns = true, nil
	if _, err := k.Key(nil); err == nil || !strings.Contains(err.Error(), "neither a primary key nor a unique index") {
		t.Errorf("got %v", err)
	}
}

func TestNeeded(t *testing.T) {
	t.Parallel()
	left, key, inID := Needed([]int{4, 1, 4}, []int{1, 4})
	if !slices.Equal(left, []int{1, 4}) || !slices.Equal(key, []int{1, 0, 1}) || !slices.Equal(inID, []int{0, 1}) {
		t.Errorf("got %v, %v, %v", left, key, inID)
	}
}
