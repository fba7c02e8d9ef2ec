package mssqltest

// expression is what has a value.
type expression interface{ expression() }

type (
	// literal is a value that stands in the statement.
	literal struct{ value value }
	// columnOf is a column by its name. What stands before that does not matter, as there is one table.
	columnOf struct{ name string }
	// parameter is one of the values that come with the statement.
	parameter struct{ name string }
	// conversion is CONVERT or CAST.
	conversion struct {
		of    expression
		to    typ
		style int
	}
	// call is a function; a method of what it is called on; or one of a type, such as hierarchyid::Parse.
	call struct {
		on   expression
		name string
		args []expression
	}
	// operation is one of two operands.
	operation struct {
		operator    string
		left, right expression
	}
	// choice is CASE of WHEN THEN ELSE END.
	choice struct {
		of        expression
		cases     []operation // the value and what it stands for
		otherwise expression
	}
	collated struct {
		of        expression
		collation string
	}
	negation struct{ of expression }
	nullTest struct {
		of  expression
		not bool
	}
)

func (literal) expression()    {}
func (columnOf) expression()   {}
func (parameter) expression()  {}
func (conversion) expression() {}
func (call) expression()       {}
func (operation) expression()  {}
func (choice) expression()     {}
func (collated) expression()   {}
func (negation) expression()   {}
func (nullTest) expression()   {}

// objectName is a table, a view or the like; schema is dbo where none is written.
type objectName struct{ schema, name string }

func (n objectName) String() string { return n.schema + "." + n.name }

// statement is one of a batch.
type statement interface{ statement() }

type (
	selection struct {
		top   expression // nil: all rows
		items []item
		from  *objectName // nil: one row without columns
		where expression
		order []ordering
	}
	item struct {
		star bool
		of   expression
		name string
	}
	ordering struct {
		of         expression
		descending bool
	}
	createTable struct {
		name  objectName
		table *table
	}
	createView struct {
		name objectName
		of   *selection
	}
	dropObject struct{ name objectName }
	truncate   struct{ name objectName }
	addColumn  struct {
		to     objectName
		column column
	}
	changeColumn struct {
		of     objectName
		column column
	}
	dropColumn struct {
		of     objectName
		column string
	}
	addIndex struct {
		to    objectName
		index index
	}
	dropIndex struct {
		of   objectName
		name string
	}
	insertion struct {
		into    objectName
		columns []string // nil: all that are not computed
		rows    [][]expression
	}
	deletion struct {
		from  objectName
		where expression
	}
	change struct {
		of    objectName
		set   []assignment
		where expression
	}
	assignment struct {
		column string
		value  expression
	}
	// grant is GRANT, DENY or REVOKE of SELECT.
	grant struct {
		what    string
		right   string
		on      objectName // with name "" all of a schema, without schema all of the database
		columns []string
		user    string
	}
	createLogin   struct{ name, password string }
	createUser    struct{ name, login string }
	dropUser      struct{ name string }
	createSchema  struct{ name string }
	killSession   struct{ session int }
	setting       struct{ name, value string }
	alterDatabase struct{ setting, value string }
	transaction   struct{ word string } // BEGIN, COMMIT, ROLLBACK, SAVE
	// conditional is IF without ELSE.
	conditional struct {
		when expression
		then statement
	}
	execute struct {
		procedure string
		args      []expression
	}
)

func (*selection) statement()     {}
func (*createTable) statement()   {}
func (*createView) statement()    {}
func (*dropObject) statement()    {}
func (*truncate) statement()      {}
func (*addColumn) statement()     {}
func (*changeColumn) statement()  {}
func (*dropColumn) statement()    {}
func (*addIndex) statement()      {}
func (*dropIndex) statement()     {}
func (*insertion) statement()     {}
func (*deletion) statement()      {}
func (*change) statement()        {}
func (*grant) statement()         {}
func (*createLogin) statement()   {}
func (*createUser) statement()    {}
func (*dropUser) statement()      {}
func (*createSchema) statement()  {}
func (*killSession) statement()   {}
func (*setting) statement()       {}
func (*alterDatabase) statement() {}
func (*transaction) statement()   {}
func (*conditional) statement()   {}
func (*execute) statement()       {}
