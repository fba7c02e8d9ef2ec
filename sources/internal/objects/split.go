package objects

import (
	"context"
	"iter"
	"strings"
	"unicode/utf8"
)

// last sorts after everything that follows a common prefix, in nearly every bucket; where it does not, a part begins
// a little later than it could.
const last = "\U0010FFFF"

// split divides a bucket into ranges that can be read concurrently. Only pages show what its keys are like, so each
// range takes two pages and a few requests for one key: a page shows how long a prefix its keys share, and a range is
// the keys that share nearly as long a one. The ranges follow each other without a gap whatever the responses were, so
// a wrong guess costs time but no key.
//
// A bucket that cannot be split, or not even listed, is one range: reading it will say why.
func (s *Source) split(ctx context.Context, of scope) iter.Seq[span] {
	return func(yield func(span) bool) {
		r := span{}
		for s.Store.Seeks(of.bucket) && ctx.Err() == nil {
			end, ok := s.boundary(ctx, of, r.after)
			if !ok {
				break
			}
			r.upTo = end
			if !yield(r) {
				return
			}
			r = span{after: end}
		}
		yield(r)
	}
}

// boundary finds the end of a range that begins after a key and contains some pages; ok is false where the
// rest is one range.
func (s *Source) boundary(ctx context.Context, of scope, after string) (end string, ok bool) {
	keys, more, seeks := s.keys(ctx, Query{Bucket: of.bucket, Prefix: of.prefix, After: after})
	n := len(keys)
	if !seeks || !more || n < 4 {
		return "", false
	}
	first, middle, final := keys[0], keys[n/2], keys[n-1]
	shared := common(middle, final)
	// If the last keys of the page share a longer prefix than those before, another group of keys begins there, about
	// which the beginning of the page says nothing.
	if shared > common(first, final)+1 {
		if i := begins(keys, final[:shared]); i > 0 {
			return keys[i-1], true
		}
	}
	// If the keys of the next page share more, the page ended in a dense group of unknown size.
	next, more, seeks := s.keys(ctx, Query{Bucket: of.bucket, Prefix: of.prefix, After: final})
	if !seeks || !more || len(next) == 0 {
		return "", false
	}
	if common(final, next[len(next)-1]) > shared+2 {
		if i := begins(keys, final[:min(shared+1, len(final))]); i > 0 {
			return keys[i-1], true
		}
	}
	for length := max(shared-1, len(of.prefix), 1); length <= shared+1; length++ {
		bound := whole(final[:min(length, len(final))]) + last
		if bound <= final {
			continue
		}
		following, _, seeks := s.keys(ctx, Query{Bucket: of.bucket, Prefix: of.prefix, After: bound, Most: 2})
		if !seeks {
			return "", false
		}
		if len(following) > 0 {
			return bound, true
		}
	}
	// All the remaining keys share the prefix of the last one.
	if i := begins(keys, final[:min(shared+1, len(final))]); i > 0 {
		return keys[i-1], true
	}
	return "", false
}

// keys lists one page; more says whether there are others. seeks is true if the keys are ascending and after the one
// requested; otherwise, and if the page cannot be read, the bucket must not be split.
func (s *Source) keys(ctx context.Context, q Query) (keys []string, more, seeks bool) {
	page, err := s.Store.List(ctx, q)
	if err != nil {
		return nil, false, false
	}
	for i := range page.Objects {
		key := page.Objects[i].Key
		if i == 0 && key == q.After && key != "" {
			continue
		}
		if n := len(keys); key <= q.After || n > 0 && key <= keys[n-1] {
			return nil, false, false
		}
		keys = append(keys, key)
	}
	return keys, page.Next != "", true
}

// begins is the index of the first of sorted keys that has the beginning, which the last has.
func begins(keys []string, beginning string) int {
	i := len(keys)
	for i > 0 && strings.HasPrefix(keys[i-1], beginning) {
		i--
	}
	return i
}

// common is how many bytes two keys share at their beginning.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// whole cuts off an incomplete character at the end.
func whole(s string) string {
	for s != "" && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
