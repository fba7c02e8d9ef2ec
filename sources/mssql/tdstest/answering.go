package tdstest

import (
	"errors"
	"fmt"
)

// answering is one answer on its way.
type answering struct {
	session *session
	kind    byte // of the request
	result  Result
	packets *packetWriter
	columns []column
	rows    int64
}

// errAttention is a client that cancelled, which its session outlives.
var errAttention = errors.New("the client cancelled")

func (a *answering) run() error {
	err := a.send()
	if errors.Is(err, errAttention) {
		a.packets.bytes(appendDone(nil, tokenDone, doneAttention, 0, a.rows))
		return a.packets.end()
	}
	return err
}

func (a *answering) send() error {
	if err := a.head(); err != nil {
		return err
	}
	for _, row := range a.result.Rows {
		if err := a.row(row); err != nil {
			return err
		}
	}
	if a.result.Stream != nil {
		for row := range a.result.Stream {
			if err := a.row(row); err != nil {
				return err
			}
		}
	}
	for _, m := range a.result.Info {
		a.packets.bytes(m.append(nil, tokenInfo))
	}
	over, err := a.fault()
	if err != nil || over {
		return err
	}
	a.packets.bytes(a.end())
	return a.packets.end()
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

// row sends a row, unless the client cancelled before it.
func (a *answering) row(values []any) error {
	select {
	case m, open := <-a.session.events:
		return a.interrupted(m, open)
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

// interrupted is what the client did before its answer was complete.
func (a *answering) interrupted(m message, open bool) error {
	switch {
	case !open:
		return errEnded
	case m.kind == packetAttention:
		return errAttention
	default:
		return &protocolError{errors.New("a request came before the one before it was answered")}
	}
}

// fault does what goes wrong; over is true if the answer ends with that.
func (a *answering) fault() (over bool, err error) {
	f := a.result.Fault
	if f.Stall != nil {
		a.packets.flush()
		select {
		case <-f.Stall:
		case m, open := <-a.session.events:
			return true, a.interrupted(m, open)
		}
	}
	switch {
	case f.Tokens != nil:
		a.packets.bytes(f.Tokens)
		return true, a.packets.end()
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

// end are the tokens behind the rows: the error or the count, each in the form of its request.
func (a *answering) end() []byte {
	last, count := byte(tokenDone), a.result.Affected
	status, command := uint16(doneCount), uint16(0)
	if len(a.columns) > 0 {
		count, command = a.rows, commandSelect
	}
	if a.kind == packetRPC {
		last = tokenDoneProc
	}
	switch {
	case a.result.Error != nil:
		return appendDone(a.result.Error.append(nil, tokenError), last, doneError, command, 0)
	case a.kind != packetRPC:
		return appendDone(nil, last, status, command, count)
	}
	b := appendDone(nil, tokenDoneInProc, status|doneMore, command, count)
	b = appendUint(append(b, tokenReturnStatus), 0, 4)
	return appendDone(b, last, 0, 0, 0)
}
