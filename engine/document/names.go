package document

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names that an index does not accept. For Elasticsearch a dot in a name is a step into an object, so it refuses
//
//	a name that is empty or blank, or is so before, after or between its dots: "", " ", ".a", "a..b"
//	"x.y" beside "x", which would be an object and a value
//
// and "a." equals "a", which may exist too. Measured on 8.19.9 and 9.5.3. A name without any visible
// character, such as a control character, counts as blank here, although Elasticsearch accepts some of them.

// PortableNames returns the names of one object in a form that every index accepts, in their order. Most stay unchanged. In
// a refused name each dot becomes "_", and a blank name becomes "_" as a whole; duplicates,
// including those in names, are numbered: "a_2". A valid name is never changed because of an invalid one.
// The same names in the same order always give the same result.
func PortableNames(names []string) []string {
	return portable(names, func(string) bool { return false })
}

// PortableFields is [PortableNames] for the fields of a document. beside are the names of its other
// fields: they, and [Reserved] names, cannot be objects. Names that equal one of these stay unchanged.
func PortableFields(names []string, beside ...string) []string {
	return portable(names, func(name string) bool { return Reserved(name) || slices.Contains(beside, name) })
}

// portable renames names. scalar reports other names that cannot have members.
func portable(names []string, scalar func(string) bool) []string {
	if len(names) == 0 {
		return names
	}
	present := map[string]bool{}
	for _, name := range names {
		present[name] = true
	}
	stays := func(name string) bool {
		return standsAlone(name) && !leads(name, func(parent string) bool { return present[parent] || scalar(parent) })
	}
	taken := map[string]bool{} // also by an object on the path of a name
	claim := func(name string) {
		taken[name] = true
		leads(name, func(parent string) bool { taken[parent] = true; return false })
	}
	for name := range present {
		if stays(name) {
			claim(name)
		}
	}
	result, seen := make([]string, len(names)), map[string]bool{}
	for i, name := range names {
		if stays(name) && !seen[name] {
			result[i], seen[name] = name, true
			continue
		}
		base := name
		if !stays(name) {
			base = flat(name)
		}
		result[i] = base
		for n := 2; taken[result[i]]; n++ {
			result[i] = base + "_" + strconv.Itoa(n)
		}
		claim(result[i])
	}
	return result
}

// standsAlone reports whether a name is accepted if no other is beside it.
func standsAlone(name string) bool {
	if !utf8.ValidString(name) {
		return false // it is written under another name, which may exist
	}
	for part := range strings.SplitSeq(name, ".") {
		if blank(part) {
			return false
		}
	}
	return true
}

// blank reports whether no character of a text is visible.
func blank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsControl(r) })
}

// flat is a name without a path of objects.
func flat(name string) string {
	name = strings.ReplaceAll(string([]rune(name)), ".", "_") // invalid UTF-8 becomes U+FFFD
	if blank(name) {
		return "_"
	}
	return name
}

// leads reports whether such is true for one of the objects on the path of a dotted name.
func leads(name string, such func(object string) bool) bool {
	for i := range len(name) {
		if name[i] == '.' && such(name[:i]) {
			return true
		}
	}
	return false
}
