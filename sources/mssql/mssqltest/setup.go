package mssqltest

import (
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/sources/mssql/tdstest"
)

// statement reads one of the statements of the source, or of those that set up test databases. There are no others.
func (p *parser) statement() action {
	switch {
	case p.take("SELECT"):
		q := p.selection()
		return func(s *session, params map[string]value) (tdstest.Result, error) { return s.selectRows(q, params) }
	case p.take("SET"):
		return p.setting()
	case p.take("BEGIN", "TRANSACTION"):
		return done(func(s *session) error { s.begin(); return nil })
	case p.take("IF", "@@TRANCOUNT", ">", "0", "ROLLBACK", "TRANSACTION"):
		return done(func(s *session) error { s.rollback(); return nil })
	case p.take("COMMIT"):
		p.take("TRANSACTION")
		return done(func(s *session) error { s.commit(); return nil })
	case p.take("ROLLBACK"):
		p.take("TRANSACTION")
		return done(func(s *session) error { s.rollback(); return nil })
	case p.take("INSERT", "INTO"):
		return p.insertion()
	case p.take("DELETE", "FROM"):
		c := rowChange{of: p.object(), where: p.where()}
		return c.run
	case p.take("UPDATE"):
		c := rowChange{of: p.object()}
		p.expect("SET")
		c.column = p.identifier()
		p.expect("=")
		c.value = p.operand()
		c.where = p.where()
		return c.run
	}
	do := p.administration()
	return done(func(s *session) error {
		if s.user != ownerName {
			return failed(262, 14, "permission denied in database '%s'", s.server.cfg.Database)
		}
		return do(s)
	})
}

// done is a statement without a result.
func done(do func(s *session) error) action {
	return func(s *session, _ map[string]value) (tdstest.Result, error) { return tdstest.Result{}, do(s) }
}

// settings are the settings of the source that have no effect here.
func settings() []string {
	return []string{
		"DATEFORMAT ymd", "ARITHABORT ON", "QUOTED_IDENTIFIER ON", "NOCOUNT ON", "TEXTSIZE 2147483647", "XACT_ABORT OFF", "IMPLICIT_TRANSACTIONS OFF",
		"DEADLOCK_PRIORITY LOW",
	}
}

// setting reads the text after SET.
func (p *parser) setting() action {
	switch {
	case p.take("TRANSACTION", "ISOLATION", "LEVEL", "SNAPSHOT"):
		return done((*session).isolate)
	case p.take("TRANSACTION", "ISOLATION", "LEVEL", "READ", "COMMITTED"):
		return done(func(s *session) error { s.snapshots = false; return nil })
	case p.take("LOCK_TIMEOUT", "-", "1"):
		return done(func(s *session) error { s.patience = -1; return nil })
	case p.take("LOCK_TIMEOUT"):
		ms := p.integer()
		return done(func(s *session) error { s.patience = time.Duration(ms) * time.Millisecond; return nil })
	}
	for _, known := range settings() {
		if p.take(strings.Fields(known)...) {
			return done(func(*session) error { return nil })
		}
	}
	p.fail()
	return nil
}

// isolate lets the session read as of the beginning of its transaction.
func (s *session) isolate() error {
	if s.snapshots = true; s.open && !s.snapshot {
		return s.aborted(3951, "the statement was run under snapshot isolation but the transaction did not start in snapshot isolation")
	}
	return nil
}

// administration reads statements that change structure, rights and sessions.
func (p *parser) administration() func(s *session) error {
	if what := p.either("GRANT", "DENY", "REVOKE"); what != "" {
		return p.grant(what)
	}
	switch {
	case p.take("CREATE", "LOGIN"):
		name := p.identifier()
		p.expect("WITH", "PASSWORD", "=")
		password := p.text()
		return func(s *session) error { s.server.tds.AddLogin(name, password); return nil }
	case p.take("CREATE", "USER"):
		name := p.identifier()
		if p.take("FOR", "LOGIN") {
			p.identifier()
		}
		return func(s *session) error { s.server.users[strings.ToLower(name)] = &user{}; return nil }
	case p.take("DROP", "USER"), p.take("DROP", "LOGIN"):
		name := p.identifier()
		return func(s *session) error { delete(s.server.users, strings.ToLower(name)); return nil }
	case p.take("CREATE", "SCHEMA"):
		name := p.identifier()
		return func(s *session) error { s.server.schemas[strings.ToLower(name)] = true; return nil }
	case p.take("KILL"):
		number := p.integer()
		return func(s *session) error { s.server.tds.Kill(number); return nil }
	case p.take("EXEC", "sp_rename"):
		from := p.text()
		p.expect(",")
		to := p.text()
		return func(s *session) error { return s.rename(objectName{"dbo", from}, to) }
	case p.take("ALTER", "DATABASE"):
		return p.alterDatabase()
	}
	return p.restructuring()
}

func (p *parser) alterDatabase() func(s *session) error {
	p.identifier()
	p.expect("SET")
	setting, on := p.either("ALLOW_SNAPSHOT_ISOLATION", "READ_COMMITTED_SNAPSHOT"), p.either("ON", "OFF") == "ON"
	p.take("WITH", "ROLLBACK", "IMMEDIATE")
	switch setting {
	case "ALLOW_SNAPSHOT_ISOLATION":
		return func(s *session) error { s.server.snapshots = on; return nil }
	case "READ_COMMITTED_SNAPSHOT":
		return func(s *session) error { s.server.versions = on; return nil }
	}
	p.fail()
	return nil
}

// grant reads the text after GRANT, DENY or REVOKE.
func (p *parser) grant(what string) func(s *session) error {
	r := right{name: p.either("SELECT", "INSERT"), denied: what == "DENY"}
	p.expect("ON")
	if p.take("SCHEMA", "::") {
		r.on.schema = p.identifier()
	} else if r.on = p.object(); p.peek().is("(") {
		r.columns = list(p, p.identifier)
	}
	if !p.take("TO") {
		p.expect("FROM")
	}
	name := p.identifier()
	return func(s *session) error { return s.grant(r, name, what == "REVOKE") }
}

// restructuring changes the structure of one object.
func (p *parser) restructuring() func(s *session) error {
	unique := p.take("CREATE", "UNIQUE", "INDEX")
	switch {
	case unique || p.take("CREATE", "INDEX"):
		return p.createIndex(unique)
	case p.take("CREATE", "TABLE"):
		name, t := p.object(), &table{}
		list(p, func() struct{} { p.member(t); return struct{}{} })
		return func(s *session) error { return s.create(&object{name: name, table: t}) }
	case p.take("CREATE", "VIEW"):
		name := p.object()
		p.expect("AS", "SELECT")
		of := p.selection()
		return func(s *session) error { return s.createView(name, of) }
	case p.take("DROP", "TABLE"):
		name := p.object()
		return func(s *session) error { return s.drop(name) }
	case p.take("ALTER", "TABLE"):
		name := p.object()
		do := p.alteration()
		return func(s *session) error { return s.alter(name, true, do) }
	}
	p.fail()
	return nil
}

func (p *parser) createIndex(unique bool) func(s *session) error {
	x := index{name: p.identifier(), unique: unique}
	p.expect("ON")
	name := p.object()
	x.columns = list(p, p.identifier)
	if p.take("INCLUDE") {
		list(p, p.identifier)
	}
	x.filtered = p.where() != nil
	return func(s *session) error { return s.alter(name, true, func(t *table, _ *scope) { t.index(x) }) }
}

// alteration reads the text after ALTER TABLE and a name.
func (p *parser) alteration() func(t *table, in *scope) {
	switch {
	case p.take("ADD"):
		if x, ok := p.constraint(); ok {
			return func(t *table, _ *scope) { t.index(x) }
		}
		c := p.column()
		return func(t *table, _ *scope) { t.add(c) }
	case p.take("ALTER", "COLUMN"):
		c := p.column()
		return func(t *table, in *scope) { t.retype(c, in) }
	case p.take("DROP", "COLUMN"):
		name := p.identifier()
		return func(t *table, _ *scope) { t.drop(name) }
	case p.take("DROP", "CONSTRAINT"):
		name := p.identifier()
		return func(t *table, _ *scope) { t.dropIndex(name) }
	}
	p.fail()
	return nil
}

// member is a column or a constraint of a table.
func (p *parser) member(t *table) {
	if x, ok := p.constraint(); ok {
		t.indexes = append(t.indexes, x)
		return
	}
	c := p.column()
	if p.take("PRIMARY", "KEY") {
		c.nullable = false
		t.indexes = append(t.indexes, index{primary: true, unique: true, columns: []string{c.name}})
	}
	if p.take("UNIQUE") {
		t.indexes = append(t.indexes, index{unique: true, columns: []string{c.name}})
	}
	t.columns = append(t.columns, c)
}

// constraint is a key that is declared apart from the columns. A foreign key is an index without columns, which has
// no effect here.
func (p *parser) constraint() (index, bool) {
	x := index{unique: true}
	named := p.take("CONSTRAINT")
	if named {
		x.name = p.identifier()
	}
	switch {
	case p.take("PRIMARY", "KEY"):
		x.primary = true
	case p.take("UNIQUE"):
	case p.take("FOREIGN", "KEY"):
		for p.peek().kind != tokenEnd && !p.peek().is(";") {
			p.next()
		}
		return index{}, true
	default:
		if named {
			p.fail()
		}
		return x, false
	}
	p.either("CLUSTERED", "NONCLUSTERED")
	x.columns = list(p, p.identifier)
	return x, true
}

func (p *parser) column() column {
	c := column{name: p.identifier(), nullable: true}
	if p.take("AS", "(") {
		c.computed = p.operand()
		p.expect(")")
		p.take("PERSISTED")
		return c
	}
	c.typ = p.typ()
	if p.take("COLLATE") {
		c.typ.collation = p.identifier()
	}
	p.take("SPARSE")
	c.hidden, c.masked = p.take("HIDDEN"), p.take("MASKED")
	if p.take("NOT", "NULL") {
		c.nullable = false
	}
	return c
}

// insertion reads the text after INSERT INTO.
func (p *parser) insertion() action {
	i := insertion{into: p.object()}
	if p.peek().is("(") {
		i.columns = list(p, p.identifier)
	}
	p.expect("VALUES")
	i.rows = p.rows()
	return i.run
}

func (p *parser) rows() [][]expr {
	return series(p, func() []expr { return list(p, p.operand) })
}
