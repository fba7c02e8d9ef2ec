package extract

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
)

// decode returns data as valid UTF-8. The character set is determined by a byte order mark, by a declaration in
// HTML or XML, or else by the bytes.
func decode(data string, f format) string {
	label := byteOrderMark(data)
	switch {
	case label != "":
	case f == markup:
		label = declaredInHTML(data[:min(len(data), 1024)]) // browsers look no further
	case f == xml && !utf8.ValidString(data):
		label = declaredInXML(data[:min(len(data), 1024)])
	}
	if label == "" {
		label = looksLike(data)
	}
	text := data
	if label != utf8Label {
		if e, _ := charset.Lookup(label); e != nil {
			if s, err := e.NewDecoder().String(data); err == nil {
				text = s
			}
		}
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text)) // one U+FFFD for each invalid byte
}

const utf8Label = "utf-8"

func byteOrderMark(data string) string {
	switch {
	case strings.HasPrefix(data, "\xef\xbb\xbf"):
		return utf8Label
	case strings.HasPrefix(data, "\xff\xfe"):
		return "utf-16le"
	case strings.HasPrefix(data, "\xfe\xff"):
		return "utf-16be"
	}
	return ""
}

// declaredInHTML returns the canonical name of the character set that a meta element declares, or "".
func declaredInHTML(head string) string {
	z := html.NewTokenizer(strings.NewReader(head))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			if string(name) != "meta" || !more {
				continue
			}
			if label := canonical(metaCharset(z)); label != "" {
				return label
			}
		}
	}
}

func metaCharset(z *html.Tokenizer) string {
	var label, content string
	isType := false
	for more := true; more; {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "charset":
			label = string(value)
		case "http-equiv":
			isType = strings.EqualFold(string(value), "content-type")
		case "content":
			content = string(value)
		}
	}
	if label != "" || !isType {
		return label
	}
	_, after, _ := strings.Cut(strings.ToLower(content), "charset=")
	return strings.Trim(after, `"' `)
}

// canonical returns the name of a known character set. A file that declares its character set in ASCII is not
// in UTF-16; the standard treats that as UTF-8.
func canonical(label string) string {
	_, name := charset.Lookup(label)
	if strings.HasPrefix(name, "utf-16") {
		return utf8Label
	}
	return name
}

func declaredInXML(head string) string {
	m := regexp.MustCompile(`^<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']`).FindStringSubmatch(head)
	if m == nil {
		return ""
	}
	return canonical(m[1])
}

// looksLike distinguishes UTF-8 from Windows-1252, the most common alternative. A text with a few wrong bytes
// among characters that only UTF-8 explains is broken UTF-8.
func looksLike(data string) string {
	good, bad := 0, 0
	for i, r := range data {
		switch {
		case r < utf8.RuneSelf:
		case r != utf8.RuneError || strings.HasPrefix(data[i:], "\ufffd"):
			good++
		default:
			bad++
		}
	}
	if bad == 0 || good > bad {
		return utf8Label
	}
	return "windows-1252"
}
