/// Bodies of failures of which people should know before they are sent.
extension QueueTransaction {
    /// Notes for people, once for a page, that an endpoint's bodies may be of no use to their receiver.
    func note(_ oddness: BodyOddness, _ reading: inout PageReading) throws {
        guard reading.summary.oddBody != oddness else { return }
        reading.summary.oddBody = oddness
        try session.run(
            "UPDATE endpoint SET odd_body = :kind, odd_body_ms = :now WHERE id = :id",
            ["kind": oddness, "now": now, "id": reading.endpoint.id])
    }
}
