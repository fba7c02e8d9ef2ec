package extract

import "strings"

// format is how content with an extension becomes text.
type format uint8

const (
	noText format = iota
	plain         // unchanged
	markup        // HTML: the visible text
	xml           // unchanged; the first line may name the character set
)

// formatOf determines the format by the extension of a name, in any case.
func formatOf(name string) format {
	switch strings.ToLower(extension(name)) {
	case ".html", ".htm", ".xhtml":
		return markup
	case ".xml", ".xsd", ".xsl":
		return xml
	case ".txt", ".text", ".md", ".markdown", ".rst", ".adoc", ".asciidoc", ".org", ".tex", ".log",
		".json", ".ndjson", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf",
		".properties", ".py", ".rb", ".sh", ".bat", ".ps1", ".pl", ".php", ".sql", ".go", ".js", ".ts",
		".java", ".c", ".h", ".cpp", ".cs", ".rs", ".css", ".srt", ".vtt":
		return plain
	}
	return noText
}

// attachable reports whether Elasticsearch's attachment processor is likely to find text in content with
// such a name: text formats, and those that Elastic's connectors send.
func attachable(name string) bool {
	if formatOf(name) != noText {
		return true
	}
	switch strings.ToLower(extension(name)) {
	case ".pdf", ".doc", ".docx", ".odt", ".rtf", ".xls", ".xlsx", ".xlsb", ".xlsm", ".ppt", ".pptx", ".potx", ".msg",
		".paper", ".aspx", ".svg", ".vsd", ".vsdx", ".vsdm":
		return true
	}
	return false
}

// extension returns the last dot of the last segment and the text after it. Leading dots
// start no extension, so ".gitignore" has none; [path.Ext] would return one.
func extension(name string) string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = strings.TrimLeft(name, ".")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
