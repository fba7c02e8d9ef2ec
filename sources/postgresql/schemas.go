package postgresql

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/sources/internal/sqlread"
)

// schemaList is the configured schemas: nil is all that are not the system's own.
type schemaList []string

// parseSchemas reads one name, several between commas, or *.
func parseSchemas(text string) (schemaList, error) {
	var list schemaList
	all := false
	for rest := strings.TrimSpace(text); rest != ""; {
		var n sqlread.Name
		var err error
		if n, rest, err = sqlread.Double.ParseName(rest, ","); err != nil {
			return nil, fmt.Errorf("schema %q: %w", text, err)
		}
		rest = strings.TrimSpace(rest)
		if rest != "" && rest[0] != ',' {
			return nil, fmt.Errorf("schema %q: %q follows a name", text, rest)
		}
		rest = strings.TrimSpace(strings.TrimPrefix(rest, ","))
		n.Text = strings.TrimSpace(n.Text)
		switch {
		case n.Text == "*":
			all = true
		case !slices.Contains(list, n.Text):
			list = append(list, n.Text)
		}
	}
	if all {
		return nil, nil
	}
	if len(list) == 0 {
		return nil, errors.New("schema is empty")
	}
	return list, nil
}

// String is how the list is written.
func (l schemaList) String() string {
	if l == nil {
		return "*"
	}
	return strings.Join(l, ", ")
}
