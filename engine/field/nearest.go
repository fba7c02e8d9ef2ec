package field

import "strings"

// Nearest returns the known name that is most similar to name, or "" if none is
// close enough. Case and the difference between
// "-" and "_" are ignored.
func Nearest(name string, known []string) string {
	fold := func(s string) []rune {
		return []rune(strings.ReplaceAll(strings.ToLower(s), "-", "_"))
	}
	want := fold(name)
	if len(want) > 200 { // no typo is that long, and the comparison is quadratic
		return ""
	}
	best, bestDistance := "", 1+max(2, len(want)/3)
	for _, k := range known {
		d := distance(want, fold(k))
		if d < bestDistance || d == bestDistance && best != "" && k < best {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, remove, replace or swap with
// their neighbor to turn a into b.
func distance(a, b []rune) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
