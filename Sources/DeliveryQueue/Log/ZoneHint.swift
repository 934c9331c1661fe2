/// Finds out of which zone log times are that name none and lie whole quarters of an hour off: an entry that was read
/// for the first time a moment after a call of ours is hardly hours older than that call.
enum ZoneHint {
    /// All zones in use differ from UTC by whole quarters of an hour, and by 14 hours at most.
    private static let quarter: Int64 = 900_000
    private static let mostQuarters: Int64 = 56

    /// The zone as `provider.log_fields.time_zone` has it, such as `-05:00`; nil: the time fits as it is, or no whole
    /// quarters make it fit, or several would.
    ///
    /// - Parameters:
    ///   - logged: the entry's time, read as UTC.
    ///   - called: when the call began that it may be about.
    ///   - found: when the entry was first read.
    static func zone(logged: Timestamp, called: Timestamp, found: Timestamp) -> String? {
        let earliest = (called - RetryRules.clockTolerance).milliseconds
        let latest = (found + RetryRules.clockTolerance).milliseconds
        guard latest - earliest < quarter else { return nil }
        let missing = earliest - logged.milliseconds
        let quarters = missing / quarter + (missing % quarter > 0 ? 1 : 0)
        guard quarters != 0, abs(quarters) <= mostQuarters, logged.milliseconds + quarters * quarter <= latest else {
            return nil
        }
        let minutes = abs(quarters) * 15
        let digits = [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return (quarters > 0 ? "-" : "+") + digits.joined(separator: ":")
    }
}
