package sqlread

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// SchemaList is the configured schemas: nil means all that are not the system's own.
type SchemaList []string

// ParseSchemas reads one name, several separated by commas, or *.
func (q Quote) ParseSchemas(text string) (SchemaList, error) {
	var list SchemaList
	all := false
	for rest := strings.TrimSpace(text); rest != ""; {
		var n Name
		var err error
		if n, rest, err = q.ParseName(rest, ","); err != nil {
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

// String is the list in the form of the configuration.
func (l SchemaList) String() string {
	if l == nil {
		return "*"
	}
	return strings.Join(l, ", ")
}
