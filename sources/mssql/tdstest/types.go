package tdstest

// Type is the type of a column.
type Type uint8

// The types of SQL Server. RowVersion is the current name of timestamp; UDT stands for geography, geometry,
// hierarchyid and user-defined types, whose name is in [Column.TypeName].
const (
	TinyInt Type = iota + 1
	SmallInt
	Int
	BigInt
	Bit
	Decimal
	Numeric
	Money
	SmallMoney
	Real
	Float
	Char
	VarChar
	NChar
	NVarChar
	Text
	NText
	Image
	Binary
	VarBinary
	Date
	Time
	DateTime2
	DateTimeOffset
	DateTime
	SmallDateTime
	UniqueIdentifier
	XML
	UDT
	RowVersion
)

// Max is the size of varchar(max), nvarchar(max) and varbinary(max).
const Max = -1

// Column is a column of a result.
type Column struct {
	Name string
	Type Type
	// Nullable columns of numbers and times have other types on the wire than columns without NULL.
	Nullable bool
	// Size of character and binary types as declared: in bytes, for nchar and nvarchar in pairs of bytes, or [Max].
	// Zero is the largest size below Max.
	Size int
	// Precision of decimal and numeric; zero is 18, as in SQL.
	Precision int
	// Scale of decimal and numeric; for time, datetime2 and datetimeoffset the number of fractional digits.
	Scale int
	// TypeName of a UDT, such as geography.
	TypeName string
}

// Types on the wire, MS-TDS 2.2.5.4.
const (
	idNull             = 0x1f
	idImage            = 0x22
	idText             = 0x23
	idUniqueIdentifier = 0x24
	idIntN             = 0x26
	idDate             = 0x28
	idTime             = 0x29
	idDateTime2        = 0x2a
	idDateTimeOffset   = 0x2b
	idInt1             = 0x30
	idBit              = 0x32
	idInt2             = 0x34
	idInt4             = 0x38
	idDateTime4        = 0x3a
	idFloat4           = 0x3b
	idMoney            = 0x3c
	idDateTime         = 0x3d
	idFloat8           = 0x3e
	idNText            = 0x63
	idBitN             = 0x68
	idDecimalN         = 0x6a
	idNumericN         = 0x6c
	idFloatN           = 0x6d
	idMoneyN           = 0x6e
	idDateTimeN        = 0x6f
	idMoney4           = 0x7a
	idInt8             = 0x7f
	idBigVarBinary     = 0xa5
	idBigVarChar       = 0xa7
	idBigBinary        = 0xad
	idBigChar          = 0xaf
	idNVarChar         = 0xe7
	idNChar            = 0xef
	idUDT              = 0xf0
	idXML              = 0xf1
)

const (
	unlimited = 0xffff // the size of types sent in chunks, and the length of NULL

	plpNull      = 0xffffffffffffffff // the length of NULL in a type sent in chunks
	plpChunk     = 1 << 16            // bytes in a chunk
	largestShort = 8000               // bytes of a value not sent in chunks
	moneyScale   = 4

	collationSize = 5

	userTypeRowVersion = 80
)

// form is how the length of a value is sent.
type form uint8

const (
	fixed     form = iota + 1 // a fixed number of bytes; a nullable column is byByte
	byByte                    // a length of one byte
	byWord                    // a length of two bytes, or chunks
	chunks                    // a length of eight bytes and chunks
	byPointer                 // a text pointer, a timestamp and a length of four bytes
)

// shape is the form of a type on the wire.
type shape struct {
	form form
	id   byte
	// nullable is the type of a nullable column, if it differs.
	nullable byte
	size     int // bytes of a value, if that number is fixed
}

// shapeOf returns the shape of a type; ok is false for an unknown number.
func shapeOf(t Type) (s shape, ok bool) {
	s, ok = map[Type]shape{
		TinyInt:          {fixed, idInt1, idIntN, 1},
		SmallInt:         {fixed, idInt2, idIntN, 2},
		Int:              {fixed, idInt4, idIntN, 4},
		BigInt:           {fixed, idInt8, idIntN, 8},
		Bit:              {fixed, idBit, idBitN, 1},
		Money:            {fixed, idMoney, idMoneyN, 8},
		SmallMoney:       {fixed, idMoney4, idMoneyN, 4},
		Real:             {fixed, idFloat4, idFloatN, 4},
		Float:            {fixed, idFloat8, idFloatN, 8},
		DateTime:         {fixed, idDateTime, idDateTimeN, 8},
		SmallDateTime:    {fixed, idDateTime4, idDateTimeN, 4},
		Decimal:          {form: byByte, id: idDecimalN},
		Numeric:          {form: byByte, id: idNumericN},
		Date:             {form: byByte, id: idDate, size: 3},
		Time:             {form: byByte, id: idTime},
		DateTime2:        {form: byByte, id: idDateTime2},
		DateTimeOffset:   {form: byByte, id: idDateTimeOffset},
		UniqueIdentifier: {form: byByte, id: idUniqueIdentifier, size: 16},
		Char:             {form: byWord, id: idBigChar},
		VarChar:          {form: byWord, id: idBigVarChar},
		NChar:            {form: byWord, id: idNChar},
		NVarChar:         {form: byWord, id: idNVarChar},
		Binary:           {form: byWord, id: idBigBinary},
		VarBinary:        {form: byWord, id: idBigVarBinary},
		RowVersion:       {form: byWord, id: idBigBinary, size: 8},
		XML:              {form: chunks, id: idXML},
		UDT:              {form: chunks, id: idUDT},
		Text:             {form: byPointer, id: idText},
		NText:            {form: byPointer, id: idNText},
		Image:            {form: byPointer, id: idImage},
	}[t]
	return s, ok
}

// latin1 is the collation SQL_Latin1_General_CP1_CI_AS, the one of all columns: locale and flags in four bytes, the
// sort order.
func latin1() []byte { return []byte{0x09, 0x04, 0xd0, 0x00, 0x34} }

// column is a [Column] with its shape.
type column struct {
	Column
	shape
}

func newColumn(c Column) (column, bool) {
	s, ok := shapeOf(c.Type)
	if s.form == byWord && c.Size == Max {
		s.form = chunks
	}
	if s.form == fixed && c.Nullable {
		s.form, s.id = byByte, s.nullable
	}
	if c.Precision == 0 {
		c.Precision = 18
	}
	return column{Column: c, shape: s}, ok
}

// limit is the largest size of a value in bytes, for COLMETADATA.
func (c column) limit() int {
	wide := c.Type == NChar || c.Type == NVarChar
	switch {
	case c.Size == Max:
		return unlimited
	case c.size > 0:
		return c.size
	case c.Size == 0:
		return largestShort
	case wide:
		return 2 * c.Size
	default:
		return c.Size
	}
}

// appendInfo appends TYPE_INFO.
func (c column) appendInfo(b []byte) []byte {
	b = append(b, c.id)
	switch c.id {
	case idIntN, idBitN, idFloatN, idMoneyN, idDateTimeN, idUniqueIdentifier:
		b = append(b, byte(c.size))
	case idDecimalN, idNumericN:
		b = append(b, byte(decimalSize(c.Precision)), byte(c.Precision), byte(c.Scale))
	case idTime, idDateTime2, idDateTimeOffset:
		b = append(b, byte(c.Scale))
	case idBigChar, idBigVarChar, idNChar, idNVarChar:
		b = append(appendUint(b, uint64(c.limit()), 2), latin1()...)
	case idBigBinary, idBigVarBinary:
		b = appendUint(b, uint64(c.limit()), 2)
	case idText, idNText, idImage:
		b = appendUint(b, 0x7fffffff, 4)
		if c.id != idImage {
			b = append(b, latin1()...)
		}
		b = appendText(append(b, 1), "t", 2) // the table's name, in one part
	case idXML:
		b = append(b, 0) // no schema
	case idUDT:
		b = appendUint(b, unlimited, 2)
		b = appendText(b, "", 1)
		b = appendText(b, "sys", 1)
		b = appendText(b, c.TypeName, 1)
		b = appendText(b, "", 2)
	}
	return b
}

// appendColumns is the token COLMETADATA.
func appendColumns(b []byte, columns []column) []byte {
	b = appendUint(append(b, tokenColumns), uint64(len(columns)), 2)
	for _, c := range columns {
		userType, flags := uint64(0), uint64(0)
		if c.Type == RowVersion {
			userType = userTypeRowVersion
		}
		if c.Nullable {
			flags = 1
		}
		b = appendUint(appendUint(b, userType, 4), flags, 2)
		b = appendText(c.appendInfo(b), c.Name, 1)
	}
	return b
}
