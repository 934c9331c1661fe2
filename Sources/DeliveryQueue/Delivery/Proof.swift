/// What shows how a delivery ended. Every proof, whatever its source, settles its delivery through
/// `RuledTransaction.settle`.
package enum Proof: Equatable {
    /// An entry of the provider's log shows an outcome.
    case entry(Sighting)
    /// A 2xx of the retry call, where `confirm.by: answer` takes it as proof.
    case answer
    /// The log was read to its end after the deadline and shows nothing of the call.
    case silence
    /// The database that a restore replaces has proof of an arrival.
    case kept(Evidence)
    /// The database that a restore replaces knows how a call ended.
    case keptEnd(AttemptEnd, AttemptKind)
}

/// An outcome that an entry of the log shows, with all that settling needs. The entry may be new or long stored.
package struct Sighting: Equatable {
    /// The task id of the entry; it differs from the delivery's where the provider logs a retry under another.
    let taskID: String
    let isSuccess: Bool
    /// Provider time at which the entry was created; nil: unknown.
    let logged: Timestamp?
    /// Provider time of the entry's newest change; nil when it has none.
    let changed: Timestamp?
    /// When the delivery arrived or failed. nil: unknown, because the entry has no time, or because it was read before
    /// with another outcome and changed in place without a time of the change.
    let came: Timestamp?
    let error: String?
}
