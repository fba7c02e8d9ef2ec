package document

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names that an index does not take. To Elasticsearch a dot in a name is a step into an object, so it refuses
//
//	a name that is empty or blank, or is so before, after or between its dots: "", " ", ".a", "a..b"
//	"x.y" beside "x", which would be an object and a value
//
// and "a." is "a" to it, which may be there, too. Measured on 8.19.9 and 9.5.3. A name without any letter that can
// be seen, such as a control character, counts as blank here, although Elasticsearch takes some of them.

// PortableNames returns names of one object as every index takes them, in their order. Most are what they were. In
// one that is refused each dot becomes "_", and so does a blank one as a whole; what then is the same as another,
// or was from the beginning, gets a number: "a_2". A name that can stay is never taken away by one that cannot.
// The same names in the same order always become the same.
func PortableNames(names []string) []string {
	return portable(names, func(string) bool { return false })
}

// PortableFields is [PortableNames] for the fields of a document. beside are other fields of it, whose names are
// given: they, and the names that are [Reserved], are no objects. Equal names are not told apart from these.
func PortableFields(names []string, beside ...string) []string {
	return portable(names, func(name string) bool { return Reserved(name) || slices.Contains(beside, name) })
}

// portable renames names. scalar reports of others that they cannot have members.
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
	taken := map[string]bool{} // also by an object that a name leads to
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

// standsAlone reports whether a name is taken where no other is beside it.
func standsAlone(name string) bool {
	if !utf8.ValidString(name) {
		return false // what is written is another name, which may be there
	}
	for part := range strings.SplitSeq(name, ".") {
		if blank(part) {
			return false
		}
	}
	return true
}

// blank reports whether nothing of a text can be seen.
func blank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsControl(r) })
}

// flat is a name that is no path of objects.
func flat(name string) string {
	name = strings.ReplaceAll(string([]rune(name)), ".", "_") // bytes that are no UTF-8 become U+FFFD
	if blank(name) {
		return "_"
	}
	return name
}

// leads reports whether one of the objects that a name with dots leads through is such as is asked for.
func leads(name string, such func(object string) bool) bool {
	for i := range len(name) {
		if name[i] == '.' && such(name[:i]) {
			return true
		}
	}
	return false
}
