package objects

import (
	"crypto/md5" //nolint:gosec // spreads keys
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func hashed(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		sum := md5.Sum(fmt.Append(nil, i)) //nolint:gosec // see the import
		keys[i] = hex.EncodeToString(sum[:])
	}
	slices.Sort(keys)
	return keys
}

// dense has most keys in the last of several folders.
func dense() []string {
	keys := numbered("a/%02d", 7)
	keys = append(keys, numbered("b/very/deep/%05d", 3000)...)
	return append(keys, "c")
}

// spread has most keys in folders below the last one.
func spread() []string {
	keys := numbered("a/%02d", 7)
	for c := range 26 {
		keys = append(keys, numbered("b/"+string(rune('a'+c))+"/%05d", 200)...)
	}
	return keys
}

func TestRangesHoldEveryKeyOnce(t *testing.T) {
	t.Parallel()
	odd := []string{"\x01", " ", "\U0010FFFE", "\U0010FFFF", "\U0010FFFFx", "\xff", "é", "e\u0301", "日本", "日本/a"}
	for i := range 500 {
		odd = append(odd, fmt.Sprintf("日%c/%03d", rune(0x4e00+i%40), i), fmt.Sprintf("\U0010FFFF%03d", i), fmt.Sprintf("\xff\xfe%03d", i))
	}
	slices.Sort(odd)
	tests := []struct {
		name  string
		keys  []string
		parts int // at least
	}{
		{"none", nil, 1},
		{"one", []string{"a"}, 1},
		{"a page", numbered("%d", 10), 1},
		{"a page and one", numbered("%d", 11), 1},
		{"numbers of one length", numbered("object-%07d", 5000), 10},
		{"numbers of any length", numbered("%d", 5000), 10},
		{"hashes", hashed(5000), 10},
		{"folders of a few", numbered("u/%05d/x", 3000), 10},
		{"one dense folder", dense(), 10},
		{"one dense folder of several", spread(), 20},
		{"one beginning", numbered("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d", 2000), 5},
		{"odd characters", odd, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{keys: map[string][]string{"b": tt.keys}}
			got, errs, parts := read(t, newSource(t, f, "b"))
			if len(errs) > 0 || !slices.Equal(got, tt.keys) {
				t.Errorf("got %d keys, %v; want %d", len(got), errs, len(tt.keys))
			}
			if len(parts) < tt.parts {
				t.Errorf("got %d parts, want at least %d", len(parts), tt.parts)
			}
			if most := 10 + 2*len(tt.keys)/f.page; len(f.calls) > 3*most {
				t.Errorf("%d requests for %d keys", len(f.calls), len(tt.keys))
			}
		})
	}
}

// A split neither loses nor repeats a key.
func TestRangesOfRandomKeys(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test
	for range 300 {
		alphabet := []string{"a", "b", "/", "é", "\xff", "\x00", "\U0010FFFF", "z"}[:2+r.IntN(7)]
		set := map[string]bool{}
		for range r.IntN(400) {
			key := ""
			for range 1 + r.IntN(7) {
				key += alphabet[r.IntN(len(alphabet))]
			}
			set[key] = true
		}
		var keys []string
		for key := range set {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		f := &fake{keys: map[string][]string{"b": keys}, page: 4 + r.IntN(9), unsure: r.IntN(4) == 0}
		if got, errs, parts := read(t, newSource(t, f, "b")); len(errs) > 0 || !slices.Equal(got, keys) {
			t.Fatalf("seed %d: got %q, %v in %d parts; want %q", seed, got, errs, len(parts), keys)
		}
	}
}

func TestAStoreThatCannotSeekIsNotSplit(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fake{"and says so": {deaf: true}, "and does not know it": {unsure: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.keys = map[string][]string{"b": numbered("%05d", 1000)}
			got, errs, parts := read(t, newSource(t, f, "b"))
			if len(errs) > 0 || !slices.Equal(got, f.keys["b"]) || len(parts) != 1 {
				t.Errorf("got %d keys, %v in %d parts; want 1000 in 1", len(got), errs, len(parts))
			}
		})
	}
}

// A range relies on the order of keys; without one it fails.
func TestARangeOfAListingInDisorderFails(t *testing.T) {
	t.Parallel()
	keys := numbered("%05d", 1000)
	f := &fake{keys: map[string][]string{"b": keys}}
	f.list = func(q Query) (Page, bool, error) {
		if q.Token != "00499" {
			return Page{}, false, nil
		}
		return Page{Objects: []Object{f.object("b", "00501"), f.object("b", "00500")}, Next: "00509"}, true, nil
	}
	if _, errs, _ := read(t, newSource(t, f, "b")); errs["b"] == nil {
		t.Error("no error of the bucket")
	}
}
