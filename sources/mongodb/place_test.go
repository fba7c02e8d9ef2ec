package mongodb

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// FuzzPlace: what an index says of a place is one, or is refused; and a place is the same when it comes back.
func FuzzPlace(f *testing.F) {
	token, err := bson.Marshal(bson.D{{Key: "_data", Value: "82650000000000000129295A"}, {Key: "_typeBits", Value: bson.Binary{Data: []byte{0x40}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(place{token: token, read: "digest"}.cursor()))
	f.Add(string(place{time: &bson.Timestamp{T: 1 << 31, I: 7}, read: "digest"}.cursor()))
	for _, text := range []string{``, `{}`, `[]`, `{"operation_time":"1"}`, `{"operation_time":"-1.2"}`, `{"resume_token":"{"}`, `{"resume_token":"[]","read":"x"}`, `{"resume_token":1}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePlace(source.Cursor(text))
		if err != nil {
			return
		}
		if (p.token == nil) == (p.time == nil) {
			t.Fatalf("%q is %+v", text, p)
		}
		again, err := parsePlace(p.cursor())
		if err != nil || again.cursor() != p.cursor() {
			t.Errorf("%q became %q, %v", p.cursor(), again.cursor(), err)
		}
	})
}
