package mssqltest

import "strings"

func (p *parser) statement() statement {
	switch {
	case p.peek().is("SELECT"):
		return p.selection()
	case p.take("CREATE"):
		return p.create()
	case p.take("ALTER", "TABLE"):
		return p.alterTable()
	case p.take("ALTER", "DATABASE"):
		return p.alterDatabase()
	case p.take("DROP"):
		return p.drop()
	case p.take("TRUNCATE", "TABLE"):
		return &truncate{p.object()}
	case p.take("INSERT"):
		p.take("INTO")
		return p.insertion()
	case p.take("DELETE"):
		p.take("FROM")
		return &deletion{from: p.object(), where: p.where()}
	case p.take("UPDATE"):
		return p.change()
	case p.take("SET"):
		return p.setting()
	case p.take("ALTER", "ROLE"):
		g := &grant{what: "GRANT", right: "SELECT"}
		if role := p.identifier(); role != "db_datareader" {
			p.fail()
		}
		p.expect("ADD", "MEMBER")
		g.user = p.identifier()
		return g
	case p.take("IF"):
		return &conditional{p.expression(), p.statement()}
	case p.take("KILL"):
		return &killSession{p.integer()}
	case p.take("EXEC"), p.take("EXECUTE"):
		return p.execute()
	}
	for _, w := range []string{"GRANT", "DENY", "REVOKE"} {
		if p.take(w) {
			return p.grant(w)
		}
	}
	for _, w := range []string{"BEGIN", "COMMIT", "ROLLBACK", "SAVE"} {
		if p.take(w) {
			return p.transaction(w)
		}
	}
	p.fail()
	return nil
}

func (p *parser) selection() *selection {
	p.expect("SELECT")
	s := &selection{}
	if p.take("TOP") {
		p.expect("(")
		s.top = p.expression()
		p.expect(")")
	}
	for p.err == nil {
		s.items = append(s.items, p.item())
		if !p.take(",") {
			break
		}
	}
	if p.take("FROM") {
		from := p.object()
		s.from = &from
		p.take("WITH", "(", "READCOMMITTEDLOCK", ")") // which locks what it reads, as this server always does
		if !p.atClause() {
			p.take("AS")
			p.identifier()
		}
	}
	s.where = p.where()
	if p.take("ORDER", "BY") {
		for p.err == nil {
			o := ordering{of: p.expression()}
			if o.descending = p.take("DESC"); !o.descending {
				p.take("ASC")
			}
			s.order = append(s.order, o)
			if !p.take(",") {
				break
			}
		}
	}
	return s
}

// atClause reports whether no alias of the table follows.
func (p *parser) atClause() bool {
	t := p.peek()
	return t.kind == tokenEnd || t.is(";") || t.is(")") || t.is("WHERE") || t.is("ORDER")
}

func (p *parser) item() item {
	if p.take("*") {
		return item{star: true}
	}
	i := item{of: p.expression()}
	if c, ok := i.of.(columnOf); ok {
		i.name = c.name
	}
	if p.take("AS") {
		i.name = p.identifier()
	}
	return i
}

func (p *parser) where() expression {
	if !p.take("WHERE") {
		return nil
	}
	return p.expression()
}

func (p *parser) create() statement {
	unique := p.take("UNIQUE")
	switch {
	case p.take("INDEX"):
		x := index{name: p.identifier(), unique: unique}
		p.expect("ON")
		s := &addIndex{to: p.object()}
		x.columns = list(p, p.indexColumn)
		if p.take("INCLUDE") {
			x.included = list(p, p.identifier)
		}
		if x.filter = p.where(); p.err == nil {
			s.index = x
		}
		return s
	case p.take("TABLE"):
		s := &createTable{name: p.object(), table: &table{}}
		list(p, func() struct{} { p.member(s.table); return struct{}{} })
		return s
	case p.take("VIEW"):
		s := &createView{name: p.object()}
		p.expect("AS")
		s.of = p.selection()
		return s
	case p.take("LOGIN"):
		s := &createLogin{name: p.identifier()}
		p.expect("WITH", "PASSWORD", "=")
		s.password = p.text()
		return s
	case p.take("USER"):
		s := &createUser{name: p.identifier()}
		s.login = s.name
		if p.take("FOR", "LOGIN") {
			s.login = p.identifier()
		}
		return s
	case p.take("SCHEMA"):
		return &createSchema{p.identifier()}
	}
	p.fail()
	return nil
}

func (p *parser) indexColumn() string {
	name := p.identifier()
	if !p.take("DESC") {
		p.take("ASC")
	}
	return name
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

// constraint is a key that stands apart from the columns.
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
	default:
		if named {
			p.fail()
		}
		return x, false
	}
	if !p.take("CLUSTERED") {
		p.take("NONCLUSTERED")
	}
	x.columns = list(p, p.indexColumn)
	return x, true
}

// foreignKey takes a constraint that is a foreign key.
func (p *parser) foreignKey() bool {
	start := p.at
	if p.take("CONSTRAINT") {
		p.identifier()
	}
	if !p.take("FOREIGN", "KEY") {
		p.at = start
		return false
	}
	list(p, p.identifier)
	p.expect("REFERENCES")
	p.object()
	list(p, p.identifier)
	for p.take("ON") {
		if !p.take("DELETE") {
			p.expect("UPDATE")
		}
		p.expect("NO", "ACTION")
	}
	return true
}

func (p *parser) column() column {
	c := column{name: p.identifier(), nullable: true}
	if p.take("AS") {
		c.computed = p.expression()
		p.take("PERSISTED")
		return c
	}
	c.typ = p.typ()
	if p.take("COLLATE") {
		c.typ.collation = p.identifier()
	}
	for p.take("SPARSE") || p.take("HIDDEN") || p.take("MASKED") {
		c.hidden = c.hidden || p.tokens[p.at-1].is("HIDDEN")
		c.masked = c.masked || p.tokens[p.at-1].is("MASKED")
	}
	switch {
	case p.take("NOT", "NULL"):
		c.nullable = false
	case p.take("NULL"):
	}
	return c
}

func (p *parser) alterTable() statement {
	name := p.object()
	switch {
	case p.take("ADD"):
		if p.foreignKey() {
			return &setting{name: "FOREIGN KEY"} // which nothing here depends on
		}
		if x, ok := p.constraint(); ok {
			return &addIndex{to: name, index: x}
		}
		return &addColumn{to: name, column: p.column()}
	case p.take("ALTER", "COLUMN"):
		return &changeColumn{of: name, column: p.column()}
	case p.take("DROP", "COLUMN"):
		return &dropColumn{of: name, column: p.identifier()}
	case p.take("DROP", "CONSTRAINT"):
		return &dropIndex{of: name, name: p.identifier()}
	}
	p.fail()
	return nil
}

func (p *parser) alterDatabase() statement {
	p.identifier()
	p.expect("SET")
	s := &alterDatabase{setting: p.word(), value: p.word()}
	p.take("WITH", "ROLLBACK", "IMMEDIATE")
	return s
}

func (p *parser) drop() statement {
	switch {
	case p.take("TABLE"), p.take("VIEW"):
		return &dropObject{p.object()}
	case p.take("INDEX"):
		s := &dropIndex{name: p.identifier()}
		p.expect("ON")
		s.of = p.object()
		return s
	case p.take("USER"), p.take("LOGIN"):
		return &dropUser{p.identifier()}
	}
	p.fail()
	return nil
}

func (p *parser) insertion() statement {
	s := &insertion{into: p.object()}
	if p.peek().is("(") {
		s.columns = list(p, p.identifier)
	}
	p.expect("VALUES")
	for p.err == nil {
		s.rows = append(s.rows, list(p, p.expression))
		if !p.take(",") {
			break
		}
	}
	return s
}

func (p *parser) change() statement {
	s := &change{of: p.object()}
	p.expect("SET")
	for p.err == nil {
		a := assignment{column: p.identifier()}
		p.expect("=")
		a.value = p.sum()
		s.set = append(s.set, a)
		if !p.take(",") {
			break
		}
	}
	s.where = p.where()
	return s
}

// setting is SET of one thing, whose words are its name but for the last.
func (p *parser) setting() statement {
	var words []string
	for p.err == nil && !p.peek().is(";") && p.peek().kind != tokenEnd && !p.peek().is("SET") {
		words = append(words, strings.ToUpper(p.next().text))
	}
	if len(words) < 2 {
		p.fail()
		return nil
	}
	if strings.HasPrefix(words[0], "TRANSACTION") { // ISOLATION LEVEL READ COMMITTED has two words for a value
		return &setting{name: "ISOLATION LEVEL", value: strings.Join(words[3:], " ")}
	}
	return &setting{name: words[0], value: strings.Join(words[1:], "")} // -1 is two words
}

// grant is GRANT, DENY or REVOKE.
func (p *parser) grant(what string) statement {
	g := &grant{what: what, right: p.word()}
	if p.peek().is("(") {
		g.columns = list(p, p.identifier)
	}
	if p.take("ON") {
		if p.take("SCHEMA", "::") {
			g.on.schema = p.identifier()
		} else {
			g.on = p.object()
			if p.peek().is("(") {
				g.columns = list(p, p.identifier)
			}
		}
	}
	if !p.take("TO") {
		p.expect("FROM")
	}
	g.user = p.identifier()
	return g
}

func (p *parser) transaction(word string) statement {
	if !p.take("TRANSACTION") {
		p.take("TRAN")
	}
	if t := p.peek(); word == "SAVE" || word == "ROLLBACK" && (t.kind == tokenWord && !t.is("SET")) {
		p.identifier()
		if word == "ROLLBACK" {
			word = "ROLLBACK TO"
		}
	}
	return &transaction{word}
}

func (p *parser) execute() statement {
	s := &execute{procedure: strings.ToLower(p.identifier())}
	if t := p.peek(); t.kind == tokenEnd || t.is(";") {
		return s
	}
	for p.err == nil {
		s.args = append(s.args, p.expression())
		if !p.take(",") {
			break
		}
	}
	return s
}
