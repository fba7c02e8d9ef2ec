package mssql

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Missing privileges: the hint contains the statements that grant them.

// namedAtMost is how many tables a hint names.
const namedAtMost = 10

// denied matches errors 229 and 230 in English.
var denied = regexp.MustCompile(`(?i)the (\w+) permission was denied on (?:the column '.*' of )?the object '(.+)', database '.+', schema '(.+)'`)

// grantHint says what to grant after an error of the server. The named object need not be a table of the part: a
// view or a query may use a function, or tables of another owner.
func (d *database) grantHint(p *part, err error) string {
	if p.Rule == nil && !p.Rel.Readable && d.refusedHint != "" {
		return d.refusedHint // one hint for all of them
	}
	tables := p.Tables()
	if m := denied.FindStringSubmatch(verdicts.Shorten(err).Error()); m != nil {
		own := slices.IndexFunc(tables, func(r relation) bool { return strings.EqualFold(r.Schema, m[3]) && strings.EqualFold(r.Name, m[2]) })
		if own < 0 {
			return fmt.Sprintf("GRANT %s ON %s TO %s; %s", strings.ToUpper(m[1]), quote.Table(m[3], m[2]), d.user(), p.LeaveOut(&d.set.tables))
		}
		tables = tables[own : own+1]
	}
	return d.grants(tables) + p.LeaveOut(&d.set.tables)
}

// grants are the statements that allow the user to read tables.
func (d *database) grants(tables []relation) string {
	var b strings.Builder
	for i := range tables {
		fmt.Fprintf(&b, "GRANT SELECT ON %s TO %s; ", fromOf(&tables[i]), d.user())
	}
	return b.String()
}

// hintOfRefused is the hint for all tables that the run may not select from, or "".
func (d *database) hintOfRefused(parts []*part) string {
	var tables []relation
	var schemas []string
	var refused [][2]string
	for _, p := range parts {
		if p.Rule != nil || p.Rel.Readable {
			continue
		}
		tables = append(tables, p.Rel)
		refused = append(refused, p.Rel.Entry)
		if !slices.Contains(schemas, p.Rel.Schema) {
			schemas = append(schemas, p.Rel.Schema)
		}
	}
	switch {
	case len(tables) == 0:
		return ""
	case len(tables) == 1:
		return d.grants(tables) + "or exclude it with " + d.set.tables.Without(refused...)
	case len(tables) <= namedAtMost:
		return d.grants(tables) + "or exclude them with " + d.set.tables.Without(refused...)
	}
	var b strings.Builder
	for _, schema := range schemas {
		fmt.Fprintf(&b, "GRANT SELECT ON SCHEMA::%s TO %s; ", quote.Ident(schema), d.user())
	}
	return b.String() + "or list only readable tables in tables:"
}
