package dir

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// The columns of rows are described as text, under the names that their fields get.
func TestDescribe(t *testing.T) {
	t.Parallel()
	root := write(t, t.TempDir(), map[string]string{
		"a.csv": "id;day;source_file\n1;2024-01-01;x\n", "b.tsv": "id\tn\n", "c.json": `{"id":1}`, "d.csv": "no\n",
	})
	text := func(names ...string) source.Description {
		var d source.Description
		for _, name := range names {
			d.Fields = append(d.Fields, source.DescribedField{Name: name, Kind: source.Text})
		}
		return d
	}
	want := map[string]source.Description{
		"": {}, "a.csv": text("id", "day", "source_file_"), "b.tsv": text("id", "n"), "c.json": {}, "d.csv": {},
	}
	got := map[string]source.Description{}
	for part, err := range opened(t, map[string]any{"directory": root, "format": formatDocuments}).Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		d, err := part.(source.Describer).Describe(t.Context())
		if (err != nil) != (part.Scope() == "d.csv") {
			t.Errorf("%s: got the error %v", part.Name(), err)
		}
		got[part.Scope()] = d
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
