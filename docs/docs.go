// Package docs is what the program itself quotes from its documentation: the meaning of each key of the
// configuration file, and of each environment variable.
//
// It knows the form of the tables in CONFIG.md and nothing else. Its invariant: a text that users read in two
// places is written in one.
package docs

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed CONFIG.md
var page string

// Keys returns the meaning of each key by its full name, such as "connectors[].guard.max_deletes", as plain text.
func Keys() map[string]string {
	keys := map[string]string{}
	for _, r := range rows("key") {
		for _, name := range quoted.FindAllStringSubmatch(r.cells[0], -1) {
			keys[r.section+name[1]] = plain(r.cells[len(r.cells)-1])
		}
	}
	return keys
}

// Variables returns the environment variables and their meanings, in the order of the page.
func Variables() (variables [][2]string) {
	for _, r := range rows("variable") {
		if len(r.cells) == 2 && r.columns[1] == "meaning" {
			variables = append(variables, [2]string{plain(r.cells[0]), plain(r.cells[1])})
		}
	}
	return variables
}

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	link   = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
)

// plain removes the marks of Markdown that the tables use.
func plain(cell string) string {
	return strings.NewReplacer("`", "", "**", "").Replace(link.ReplaceAllString(cell, "$1"))
}

// row is a row of a table. section is the part of the file that the heading above it names, with a dot at its
// end.
type row struct {
	section        string
	columns, cells []string
}

// rows returns the rows of all tables whose first column has that title.
func rows(first string) (found []row) {
	section := ""
	var columns []string
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case strings.HasPrefix(line, "#"):
			section = ""
			if name := quoted.FindStringSubmatch(line); name != nil {
				section = name[1] + "."
			}
		case !strings.HasPrefix(line, "|"):
			columns = nil
		case columns == nil:
			columns = cells
		case columns[0] == first && !strings.HasPrefix(line, "|--"):
			found = append(found, row{section, columns, cells})
		}
	}
	return found
}
