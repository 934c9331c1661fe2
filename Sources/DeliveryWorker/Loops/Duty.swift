import ServiceLifecycle

/// A service that is one closure.
struct Duty: Service, CustomStringConvertible {
    var description: String { "duty" }
    let work: @Sendable () async throws -> Void

    init(_ work: @escaping @Sendable () async throws -> Void) { self.work = work }
    func run() async throws { try await work() }
}
