package postgresql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Missing privileges: the hint contains the statements that grant them, and none for privileges that
// exist already.

// namedAtMost is how many tables a hint names.
const namedAtMost = 10

// grantHint is based on the catalog of the run: the tables without SELECT. Those of a run share one
// hint, which is reported once.
func (p *part) grantHint() string {
	if p.Rule == nil && !p.Rel.Readable {
		return p.db.refusedHint
	}
	return p.grants(p.Tables()) + p.LeaveOut(&p.db.set.tables)
}

// grants are the statements that allow the role to read tables.
func (p *part) grants(tables []relation) string {
	var b strings.Builder
	user := quote.Ident(p.db.set.User)
	var schemas []string
	for _, r := range tables {
		if slices.Contains(p.db.unusable, r.Schema) && !slices.Contains(schemas, r.Schema) {
			schemas = append(schemas, r.Schema)
			fmt.Fprintf(&b, "GRANT USAGE ON SCHEMA %s TO %s; ", quote.Ident(r.Schema), user)
		}
		fmt.Fprintf(&b, "GRANT SELECT ON %s TO %s; ", quote.Table(r.Schema, r.Name), user)
	}
	return b.String()
}

// hintOfRefused is the hint for all tables that the run may not select from.
func (d *database) hintOfRefused(tables []*part) string {
	var names, schemas []string
	var refused [][2]string
	for _, p := range tables {
		if p.Rel.Readable {
			continue
		}
		names = append(names, quote.Table(p.Rel.Schema, p.Rel.Name))
		refused = append(refused, p.Rel.Entry)
		if !slices.Contains(schemas, quote.Ident(p.Rel.Schema)) {
			schemas = append(schemas, quote.Ident(p.Rel.Schema))
		}
	}
	user := quote.Ident(d.set.User)
	if len(names) > namedAtMost {
		return fmt.Sprintf("GRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s; or list only readable tables in tables:", strings.Join(schemas, ", "), user)
	}
	them := "it"
	if len(names) > 1 {
		them = "them"
	}
	return fmt.Sprintf("GRANT SELECT ON %s TO %s; or exclude %s with %s", strings.Join(names, ", "), user, them, d.set.tables.Without(refused...))
}

// missingQuery returns the statements that grant what a message of the server names: functions and schemas
// to the role, tables below a view to the owner of the view, with whose privileges it reads them.
const missingQuery = `
SELECT format('GRANT EXECUTE ON FUNCTION %I.%I(%s) TO %I;', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), current_user)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = ANY($1::text[]) AND NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, current_user)
FROM pg_catalog.pg_namespace n
WHERE n.nspname = ANY($1::text[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT format('GRANT SELECT ON %I.%I TO %I;', n.nspname, c.relname, pg_catalog.pg_get_userbyid(v.relowner))
FROM pg_catalog.pg_class v, pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE v.oid = ANY($2::oid[]) AND v.relkind IN ('v', 'm') AND c.oid <> v.oid AND c.relname = ANY($1::text[])
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT pg_catalog.has_table_privilege(v.relowner, c.oid, 'SELECT')`

// explained adds a hint to the error of a part with a missing privilege, if that is not on one of its own
// tables. The message of the server names the object, in any language.
func (p *part) explained(ctx context.Context, err error) error {
	said, ok := errors.AsType[*pgconn.PgError](err)
	e, placed := errors.AsType[*source.Error](err)
	if !ok || !placed || said.Code != codeNoPrivilege || ctx.Err() != nil {
		return err
	}
	words := wordsOf(said.Message)
	var own []relation
	for _, r := range p.Tables() {
		if slices.Contains(words, r.Name) {
			own = append(own, r)
		}
	}
	hint := p.missing(ctx, words)
	switch {
	case hint != "":
		hint += " " + p.LeaveOut(&p.db.set.tables)
	case own != nil:
		hint = p.grants(own) + p.LeaveOut(&p.db.set.tables)
	default:
		hint = "grant the privilege that the message names, " + p.LeaveOut(&p.db.set.tables)
	}
	explained := *e
	explained.Hint = hint
	return &explained
}

// missing returns the statements that grant what the words name; "" if nothing is missing.
func (p *part) missing(ctx context.Context, words []string) string {
	conn, err := p.db.connect(ctx)
	if err != nil {
		return "" // the original error matters
	}
	defer hangUp(ctx, conn)
	var oids []uint32
	for _, r := range p.Tables() {
		oids = append(oids, oidOf(&r))
	}
	var statements []string
	var one string
	if err := each(ctx, conn, missingQuery, []any{words, oids}, []any{&one}, func() { statements = append(statements, one) }); err != nil {
		return ""
	}
	slices.Sort(statements)
	return strings.Join(slices.Compact(statements), " ")
}

// wordsOf are the words of a message, some of which may be names.
func wordsOf(message string) []string {
	return strings.FieldsFunc(message, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_$", r)
	})
}

func (p *part) policyHint() string {
	var b strings.Builder
	user := quote.Ident(p.db.set.User)
	fmt.Fprintf(&b, "ALTER ROLE %s BYPASSRLS; or ", user)
	for _, r := range p.Tables() {
		fmt.Fprintf(&b, "CREATE POLICY elastic_ingest ON %s FOR SELECT TO %s USING (true); ", quote.Table(r.Schema, r.Name), user)
	}
	return b.String() + p.LeaveOut(&p.db.set.tables)
}
