package sqlread

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

func TestATableIsDescribedOnce(t *testing.T) {
	t.Parallel()
	var d Described
	var wg sync.WaitGroup
	asked := 0
	for range 8 {
		wg.Go(func() {
			got, err := d.Once(func() (source.Description, error) {
				asked++
				return source.Description{IDPrefix: "x"}, errors.New("half of it")
			})
			if got.IDPrefix != "x" || err == nil {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// TestARecordDescribesWhatItWrites compares the description with the fields of a document.
func TestARecordDescribesWhatItWrites(t *testing.T) {
	t.Parallel()
	fixed := []document.Field{{Name: "table", Value: document.String("t")}}
	kinds := []source.FieldKind{source.Long, "", source.Date}
	for _, tt := range []struct {
		nested bool
		want   []source.DescribedField
	}{
		{false, []source.DescribedField{
			{Name: "table", Kind: source.Keyword},
			{Name: "a", Kind: source.Long},
			{Name: "b", Kind: source.Text},
			{Name: "c", Kind: source.Date},
			{Name: NotesField, Kind: source.Keyword},
		}},
		{true, []source.DescribedField{
			{Name: "table", Kind: source.Keyword},
			{Name: "key.c", Kind: source.Date},
			{Name: "key.a", Kind: source.Long},
			{Name: "row.a", Kind: source.Long},
			{Name: "row.b", Kind: source.Text},
			{Name: "row.c", Kind: source.Date},
			{Name: NotesField, Kind: source.Keyword},
		}},
	} {
		r := NewRecord(fixed, []string{"a", "b", "c"}, []int{2, 0, 2}, tt.nested)
		if diff := cmp.Diff(tt.want, r.Describe(kinds)); diff != "" {
			t.Errorf("nested %t: %s", tt.nested, diff)
		}
	}
}

func TestIDsAreDescribedAsTheProfileHasThem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ids     IDs
		prefix  string
		numeric bool
	}{
		{IDs{Profile: Head, Prefix: "d_t", Digits: []bool{true, true}}, "d_t_", true},
		{IDs{Profile: Head, Prefix: "d_t", Digits: []bool{true, false}}, "d_t_", false},
		{IDs{Profile: Head, Prefix: "d_t", Digits: []bool{true}, Nullable: true}, "d_t", true},
		{IDs{Profile: Head, Prefix: "d_t"}, "", false},
		{IDs{Profile: Seed87, Prefix: "d_t_", Digits: []bool{true}}, "d_t_", true},
		{IDs{Profile: Native, Prefix: "mysql:d:t:", Digits: []bool{true}}, "", false},
	} {
		if d := tt.ids.Describe(nil); d.IDPrefix != tt.prefix || d.NumericIDs != tt.numeric {
			t.Errorf("%+v: got %q, %t", tt.ids, d.IDPrefix, d.NumericIDs)
		}
	}
}
