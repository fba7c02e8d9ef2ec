// Package protocol is the connector protocol: the records of connectors and sync jobs that Kibana shows,
// what they go through, and one poll, which makes the jobs that are due and runs those that wait.
//
// It knows nothing of documents: how a job is run is the caller's affair. Nothing is kept between polls
// but what stands in the records, so any number of machines may poll the same connectors.
//
// Its invariant: every write that decides something is guarded by the version of the record that was
// read. Of several programs that want the same, one gets it; and whatever step a program is killed at,
// the records say enough for the next one to go on. docs/CONNECTOR_PROTOCOL.md tells an operator what is
// read and written.
package protocol
