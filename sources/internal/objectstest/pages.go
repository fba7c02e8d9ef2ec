package objectstest

import (
	"strings"
	"testing"
)

// AddOddPages seeds a fuzz target with a page in XML, and with variants that have something rare at the first element of
// each name. more are further texts instead of the tag that begins an element.
func AddOddPages(f *testing.F, page string, names []string, more func(name, tag string) []string) {
	f.Helper()
	f.Add([]byte(page))
	for _, name := range names {
		tag := "<" + name + ">"
		for _, odd := range append(more(name, tag),
			tag+"<!-- -->", tag+"<![CDATA[x]]>", tag+"<b/>", tag+"]]>", tag+"\r\n", tag+"&amp;&#13;&#10;&#0;",
			tag+"&unknown;", tag+"\xff", tag+"\uFFFE", tag+" ", "<x:"+name+">",
			"<"+name+"/>"+tag, "<"+name+" >", tag+"</"+name+">"+tag, "<Unknown>x</Unknown>"+tag,
		) {
			f.Add([]byte(strings.Replace(page, tag, odd, 1)))
		}
	}
	f.Add([]byte(page + "x"))
	f.Add([]byte(page[:len(page)-20]))
}
