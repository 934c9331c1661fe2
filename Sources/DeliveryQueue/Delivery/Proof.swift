/// What proves what became of a delivery. Every proof, of whatever origin, settles its delivery through
/// `QueueTransaction.settle`.
package enum Proof: Equatable {
    /// An entry of the provider's log shows an outcome.
    case entry(Sighting)
    /// A 2xx of the retry call, where `confirm.by: answer` takes it as proof.
    case answer
    /// The log was read to its end after the deadline, and says nothing of the call.
    case silence
    /// The database that a restore replaces has proof of an arrival.
    case kept(Evidence)
    /// The database that a restore replaces knows how a call ended.
    case keptEnd(AttemptEnd, AttemptKind)
}

/// An outcome as an entry of the log shows it: all that settling needs, be the entry read just now or stored long ago.
package struct Sighting: Equatable {
    /// The task id of the entry; not the delivery's own where the provider logs a retry under another.
    let taskID: String
    let isSuccess: Bool
    /// Provider time at which the entry was created; nil where nothing tells it.
    let logged: Timestamp?
    /// Provider time of the entry's newest change; nil when it has none.
    let changed: Timestamp?
    /// When the outcome came about; nil when nothing tells: the entry has no time, or it was read before with another outcome
    /// and was changed in place without a time of the change.
    let came: Timestamp?
    let error: String?
}
