import Foundation
import Testing

@testable import DeliveryQueue

/// Does an operation again and again on a fresh copy of its database. The first call to the disk fails, then the second
/// one, and so on, until the operation passes untouched.
///
/// After each failure the error says what to do, and the files hold the state before the operation or the one after it,
/// whole and sound. The same operation, done again, ends where the undisturbed one ends.
struct FaultSweep: Sendable {
    let name: String
    let operation: FaultedOperation
    let fault: Fault
    let isPersistent: Bool
    /// Every call is tried with 1.
    var stride = 1

    /// - Returns: how many calls failed.
    func run() async throws -> Int {
        let before = try await operation.state(after: nil)
        let after = try await operation.state(after: operation.run)
        var sum = 0
        var number = 1
        while true {
            let failed = try await fail(number, legal: [before] + operation.between + [after])
            guard failed > 0 else { return sum }
            sum += failed
            number += stride
        }
    }

    private func fail(_ number: Int, legal: [[String]]) async throws -> Int {
        let place = "\(name): \(fault) at call \(number)\(isPersistent ? " and all later ones" : "")"
        let folder = try FaultyFolder(operation.files)
        var subject = try operation.subject(in: folder)
        folder.arm(fault, at: number, isPersistent: isPersistent)
        let error = await failure(of: subject)
        let failed = folder.disarm()

        let state = try FolderState.of(folder.path)
        if let error {
            expectUseful(error, place)
            #expect(failed > 0, "\(place): it fails by itself: \(error)")
            #expect(legal.contains(state), "\(place): the state is neither that before nor that after")
        } else {
            expectEqual(state, legal.last ?? [], "\(place): it did not fail")
        }
        guard failed > 0 else { return 0 }
        guard error != nil else { return failed }
        if let again = await failure(of: subject) {
            // A store that cannot go on must do so at least when it is opened again.
            try subject.store?.close()
            subject = try operation.subject(in: folder)
            let last = await failure(of: subject)
            #expect(
                last == nil, "\(place): it cannot be done again: \(again); \(last.map(String.init(describing:)) ?? "")")
            print("\(place): only a new connection could do it again: \(again)")
        }
        expectEqual(try FolderState.of(folder.path), legal.last ?? [], "\(place): it was done again")
        return failed
    }

    private func failure(of subject: FaultedOperation.Subject) async -> (any Error)? {
        do {
            try await operation.run(subject)
            return nil
        } catch {
            return error
        }
    }

    /// Operation, cause and what to do; never a bare code.
    private func expectUseful(_ error: any Error, _ place: String) {
        guard let error = error as? StoreError else {
            Issue.record("\(place): not a StoreError: \(error)")
            return
        }
        #expect(!error.operation.isEmpty && !error.cause.isEmpty, "\(place): \(error)")
        #expect(fault.advice.contains { error.hint?.contains($0) ?? false }, "\(place): no advice: \(error)")
    }

    private func expectEqual(_ state: [String], _ wanted: [String], _ place: String) {
        guard state != wanted else { return }
        let difference = state.difference(from: wanted).map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line.prefix(300))"
            case .remove(_, let line, _): "- \(line.prefix(300))"
            }
        }
        Issue.record("\(place):\n\(difference.prefix(6).joined(separator: "\n"))")
    }
}
