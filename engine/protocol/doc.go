// Package protocol is the connector protocol: the records of connectors and sync jobs that Kibana shows,
// their transitions, and one poll, which creates the jobs that are due and runs the pending ones.
//
// It knows nothing about documents: the caller runs the jobs. Nothing but the records is kept between
// polls, so any number of machines may poll the same connectors.
//
// Its invariant: every write that decides something is conditional on the version of the record that was
// read. Of several programs that try the same, one succeeds; and wherever a program is killed, the records
// contain enough for the next one to continue. docs/CONNECTOR_PROTOCOL.md lists what is read and written.
package protocol
