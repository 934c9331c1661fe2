import LocalFiles
package import ProviderAPI

extension WorkerConfiguration {
    /// Reads and checks a configuration file.
    ///
    /// - Parameters:
    ///   - path: the YAML file; relative paths in it start at its folder.
    ///   - environment: the process's variables. `REDELIVER_…` override single keys; `token_env` and `password_env`
    ///     name others.
    ///   - credential: used in place of the configured one, whose file or variable need not exist then.
    /// - Throws: `ConfigurationError` with all faults, not only the first.
    package static func load(
        path: String, environment: [String: String], credential: Credential? = nil
    ) throws(ConfigurationError) -> WorkerConfiguration {
        let yaml: String
        do throws(SettingProblem) {
            yaml = try ConfigurationFile.text(path: path)
        } catch {
            throw ConfigurationError(path: path, faults: [ConfigurationFault(key: "", problem: error.text)])
        }
        return try read(yaml: yaml, path: path, environment: environment, credential: credential)
    }

    /// Checks a configuration that is in memory.
    ///
    /// - Parameters:
    ///   - path: where the text came from, for faults and for relative paths; nothing is read there.
    ///   - credential: as for `load`.
    /// - Throws: `ConfigurationError` with all faults.
    package static func read(
        yaml: String, path: String, environment: [String: String], credential: Credential? = nil
    ) throws(ConfigurationError) -> WorkerConfiguration {
        let overrides = EnvironmentOverrides(environment)
        var settings: Settings
        do throws(ConfigurationFault) {
            let document = try YAMLDocument(text: yaml)
            settings = NodeReader(document, known: ConfigurationKeys.all).settings
        } catch {
            // The environment can be checked even so; missing keys of the file cannot.
            settings = Settings(unreadableFile: error)
        }
        overrides.apply(to: &settings)
        var reader = ConfigurationReader(
            settings, environment: environment, folder: ConfigurationFolder(of: path), credential: credential)
        var configuration = try reader.read(file: path)
        configuration.cautions = Cautions.of(settings, configuration, path: path)
        return configuration
    }
}

/// Reads a configuration file's text.
enum ConfigurationFile {
    /// A configuration of a thousand endpoints has about 100 KB; a larger file is something else.
    static let maxBytes = 1_048_576

    /// - Throws: `SettingProblem` for a file that is missing, a directory, not readable, too large or not UTF-8.
    static func text(path: String) throws(SettingProblem) -> String {
        if FileStatus(at: path)?.isFolder == true { throw SettingProblem("is a directory, expected a YAML file") }
        let data = try bytes(path: path)
        if data.count > maxBytes { throw SettingProblem("is larger than 1 MiB; is it the right file?") }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw SettingProblem("is not UTF-8 text")
        }
        // A byte order mark would count as the first line's first column, and its key as indented.
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// Reads at most one byte more than allowed, so that a device or a huge file is not read to its end.
    private static func bytes(path: String) throws(SettingProblem) -> [UInt8] {
        do throws(FileFault) {
            return try OpenFile(reading: path).bytes(atMost: maxBytes + 1)
        } catch {
            throw SettingProblem(error.isMissing ? "the file does not exist" : "cannot be read: \(error)")
        }
    }
}
