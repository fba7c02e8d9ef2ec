package mongodb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// TestKindsOfASample checks the kinds of fields that documents of the sample show.
func TestKindsOfASample(t *testing.T) {
	t.Parallel()
	k := kinds{forms: forms(t, "", "", ""), of: map[string]source.FieldKind{}}
	oid := bson.NewObjectID()
	for _, d := range []bson.D{
		{{Key: "_id", Value: oid}, {Key: "at", Value: bson.DateTime(0)}, {Key: "n", Value: int32(1)}, {Key: "price", Value: int64(1)}, {Key: "exact", Value: 1.5}, {Key: "maybe", Value: nil}},
		{{Key: "n", Value: int64(2)}, {Key: "price", Value: 2.5}, {Key: "exact", Value: decimal(t, "2.50")}, {Key: "mixed", Value: "x"}, {Key: "ok", Value: true}, {Key: "text", Value: "x"}},
		{{Key: "mixed", Value: int32(1)}, {Key: "ref", Value: oid}, {Key: "uuid", Value: uuidBinary(4)}, {Key: "bytes", Value: bson.Binary{}}, {Key: "a.b", Value: int32(1)}, {Key: "", Value: int32(1)}},
		{{Key: "o", Value: bson.D{{Key: "list", Value: bson.A{bson.D{{Key: "at", Value: bson.DateTime(0)}}, bson.A{bson.D{{Key: "n", Value: 1.5}}}}}}}, {Key: "numbers", Value: bson.A{int32(1), 2.5}}},
		{{Key: "shape", Value: "x"}, {Key: "vector", Value: bson.Binary{Subtype: 9, Data: []byte{3, 0, 1}}}, {Key: "secret", Value: bson.Binary{Subtype: 6}}},
		{{Key: "shape", Value: bson.D{{Key: "x", Value: int32(1)}}}},
	} {
		list, err := members(string(raw(t, d)))
		if err != nil {
			t.Fatal(err)
		}
		if err := k.add(list, "", 0); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]source.FieldKind{
		"at": source.Date, "n": source.Long, "price": source.Double, "exact": source.Decimal, "mixed": source.Text, "ok": source.Boolean, "text": source.Text,
		"ref": source.Keyword, "uuid": source.Keyword, "bytes": source.Binary, "o": source.Object, "o.list": source.Object, "o.list.at": source.Date,
		"o.list.n": source.Double, "numbers": source.Double, "shape": source.Text, "shape.x": source.Long, "vector": source.Double, "maybe": "", "secret": "", "a.b": source.Long, "_": source.Long,
	}
	if d := cmp.Diff(want, k.of); d != "" {
		t.Error(d)
	}
}

// TestDescribeLooksAtBothEnds checks that the sample has a few of the oldest and of the newest documents.
func TestDescribeLooksAtBothEnds(t *testing.T) {
	t.Parallel()
	f := newFake(t, numbered("collection", "orders"))
	d := f.open(map[string]any{"collection": "orders, x*"}, source.Env{})
	for p, err := range d.Parts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.(source.Describer).Describe(t.Context())
		want := source.Description{IDPrefix: "shop.orders/", Fields: []source.DescribedField{
			{Name: notesField, Kind: source.Text},
			{Name: databaseField, Kind: source.Keyword},
			{Name: collectionField, Kind: source.Keyword},
			{Name: "n", Kind: source.Long},
		}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	var ends []int64
	for _, c := range f.commands("find") {
		ends = append(ends, c.Lookup("sort", "_id").AsInt64())
		if c.Lookup("limit").AsInt64() != sampled {
			t.Errorf("%s", c)
		}
	}
	if d := cmp.Diff([]int64{1, -1}, ends); d != "" {
		t.Error(d)
	}
}
