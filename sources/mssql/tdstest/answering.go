package tdstest

import (
	"errors"
	"fmt"
)

// answering is a response that is being sent.
type answering struct {
	session *session
	kind    byte    // kind of the request
	result  *Result // the result that is being sent
	packets *packetWriter
	columns []column
	rows    int64
}

// errAttention means that the client canceled; the session continues.
var errAttention = errors.New("the client canceled")

func (a *answering) run() error {
	err := a.send()
	if errors.Is(err, errAttention) {
		a.packets.bytes(appendDone(nil, tokenDone, doneAttention, 0, a.rows))
		return a.packets.end()
	}
	return err
}

func (a *answering) send() error {
	for ; a.result != nil; a.result = a.result.Next {
		if over, err := a.one(); err != nil || over {
			return err
		}
	}
	return a.packets.end()
}

// one sends one result; over is true if it was the last.
func (a *answering) one() (over bool, err error) {
	a.columns, a.rows = nil, 0
	if err := a.body(); err != nil {
		return false, err
	}
	if over, err := a.fault(); err != nil || over {
		return over, err
	}
	a.packets.bytes(a.end())
	if a.killed() {
		return true, errors.Join(a.packets.end(), errEnded)
	}
	return false, a.packets.err
}

// body sends the columns and the rows of a result.
func (a *answering) body() error {
	if err := a.head(); err != nil {
		return err
	}
	for _, row := range a.result.Rows {
		if err := a.row(row); err != nil {
			return err
		}
	}
	return a.packets.err
}

func (a *answering) head() error {
	for _, c := range a.result.Columns {
		column, ok := newColumn(c)
		if !ok {
			return &protocolError{fmt.Errorf("column %q has no type", c.Name)}
		}
		a.columns = append(a.columns, column)
	}
	if len(a.columns) > 0 {
		a.packets.bytes(appendColumns(nil, a.columns))
	}
	return nil
}

// row sends a row, unless the client canceled before it.
func (a *answering) row(values []any) error {
	select {
	case m, open := <-a.session.events:
		return interrupted(m, open)
	default:
	}
	raw, err := appendRow(nil, a.columns, values)
	if err != nil {
		return &protocolError{fmt.Errorf("row %d of an answer: %w", a.rows+1, err)}
	}
	a.packets.bytes(raw)
	a.rows++
	return a.packets.err
}

// interrupted returns what the client did before its response was complete.
func interrupted(m message, open bool) error {
	switch {
	case !open:
		return errEnded
	case m.kind == packetAttention:
		return errAttention
	default:
		return &protocolError{errors.New("a request came before the one before it was answered")}
	}
}

// fault carries out the fault; over is true if the response ends with it.
func (a *answering) fault() (over bool, err error) {
	f := a.result.Fault
	switch {
	case f.Wire != nil:
		a.packets.flush()
		if a.packets.err == nil {
			_, a.packets.err = a.session.conn.Write(f.Wire)
		}
		return true, errEnded
	case f.Cut:
		a.packets.flush()
		return true, errEnded
	}
	return false, nil
}

// killed reports whether the error ends the session.
func (a *answering) killed() bool { return a.result.Error != nil && a.result.Error.Class >= fatal }

// end appends the tokens after the rows: the error or the count, in the form for its request.
func (a *answering) end() []byte {
	count, command := a.result.Affected, uint16(0)
	if len(a.columns) > 0 {
		count, command = a.rows, commandSelect
	}
	last := a.result.Next == nil || a.killed()
	token, status := byte(tokenDone), uint16(0)
	if a.kind == packetRPC {
		token = tokenDoneInProc
	}
	if !last {
		status = doneMore
	}
	var b []byte
	for _, m := range a.result.Before {
		b = m.append(b)
	}
	switch {
	case a.result.Error != nil:
		if a.kind == packetRPC && last {
			token = tokenDoneProc
		}
		return appendDone(a.result.Error.append(b), token, status|a.failed(), command, 0)
	case a.kind != packetRPC || !last:
		return appendDone(b, token, status|doneCount, command, count)
	}
	b = appendDone(b, token, doneCount|doneMore, command, count)
	b = appendUint(append(b, tokenReturnStatus), 0, 4)
	return appendDone(b, tokenDoneProc, 0, 0, 0)
}

// failed is the bit of DONE that reports an error.
func (a *answering) failed() uint16 {
	if a.killed() {
		return doneServerError
	}
	return doneError
}
