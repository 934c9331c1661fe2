import ProviderAPI

/// Where a secret goes: to a new file or to stdout.
struct SecretPlace {
    /// nil: stdout.
    let file: SecretOutputFile?

    /// Every secret leaves the program here.
    func store(_ secret: Secret, _ name: String = "the secret") throws {
        guard let file else { return try StandardOutput.write(secret.revealed + "\n") }
        try file.write(secret.revealed)
        Note.print("\(name) is in \(file.path)")
    }
}

/// The rotation of a secret. It stores the old secret before it asks for the new one, so that none is lost.
struct SecretRotation {
    let endpoint: ProviderEndpoint
    let new: SecretPlace
    /// Where the old secret is stored; nil when it is not kept.
    let old: SecretOutputFile?

    /// - Throws: `ProviderError`; no file is left when the provider surely did nothing. `StoreError` or `OutputFault`
    ///   when a secret could not be stored.
    func run(with client: ProviderClient) async throws {
        if let old { try SecretPlace(file: old).store(try await client.secret(of: endpoint.id), "the old secret") }
        do {
            try store(try await client.rotateSecret(of: endpoint.id))
            Note.print(advice)
        } catch let error as ProviderError {
            if error.kind == .unknownOutcome {
                Note.print(
                    "read the present secret with `\(showCommand)`"
                        + (old.map { "; the old one is in \($0.path)" } ?? "")
                )
            } else {
                old?.discard()
            }
            throw error
        }
    }

    private func store(_ secret: Secret) throws {
        do {
            try new.store(secret)
        } catch {
            Note.print("the secret is changed but could not be stored; read it with `\(showCommand)`")
            throw error
        }
    }

    private var showCommand: String { "redeliver endpoints secret show '\(Printable.text(endpoint.name))'" }

    /// What the receiver's operators must do now.
    var advice: String {
        let files = "--secret-file \(new.file?.path ?? "NEW") --secret-file \(old?.path ?? "OLD")"
        return """
            the secret of endpoint \(endpoint.title) is changed; messages on their way still carry the old signature: accept \
            both secrets for a while, for example with `redeliver verify \(files)`
            """
    }
}
