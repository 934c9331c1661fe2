/// What a run did is not what it had to do: its time means nothing.
struct Inexact: Error, CustomStringConvertible {
    let what: String
    var description: String { "not exact: \(what)" }
}
