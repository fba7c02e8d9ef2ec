package commands_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// pdfOf creates a PDF with one page per text. trailer is added to its trailer, such as an encryption
// dictionary.
func pdfOf(trailer string, pages ...string) string {
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(at)}, args...)...)
	}
	b.WriteString("%PDF-1.4\n")
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	object("<</Type /Catalog /Pages 2 0 R>>")
	object("<</Type /Pages /Count %d /Kids [%s]>>", len(pages), kids.String())
	object("<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>")
	for _, text := range pages {
		stream := "BT /F1 12 Tf 72 720 Td (" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(text) + ") Tj ET"
		object("<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources <</Font <</F1 3 0 R>>>> /Contents %d 0 R>>", len(at)+2)
		object("<</Length %d>>\nstream\n%s\nendstream", len(stream), stream)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, trailer, xref)
	return b.String()
}

// encryptedPDF is a PDF that needs a password.
func encryptedPDF(text string) string {
	sum := strings.Repeat("5a", 32)
	return pdfOf("/ID [<"+strings.Repeat("01", 16)+"> <"+strings.Repeat("01", 16)+">] /Encrypt <</Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <"+sum+"> /U <"+sum+">>>", text)
}

// docxOf creates a word processor document with one paragraph per text.
func docxOf(t *testing.T, paragraphs ...string) string {
	t.Helper()
	var body strings.Builder
	for _, p := range paragraphs {
		body.WriteString("<w:p><w:r><w:t>" + p + "</w:t></w:r></w:p>")
	}
	const head = `<?xml version="1.0" encoding="UTF-8"?>`
	files := []struct{ name, data string }{
		{"[Content_Types].xml", head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`},
		{"_rels/.rels", head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`},
		{"word/document.xml", head + `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>` + body.String() + `</w:body></w:document>`},
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = w.Write([]byte(f.data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// longText has about size bytes, and ends with a word that occurs nowhere else.
func longText(size int) string {
	const line = "A line of a long text that goes on and on.\n"
	return strings.Repeat(line, size/len(line)) + "lastword"
}
