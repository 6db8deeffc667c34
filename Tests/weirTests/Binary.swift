import Foundation
import Testing

/// Runs the real binary in a temporary folder.
struct Binary {
  /// The exit code and output of a run.
  struct Result {
    var code: Int32
    var output: [UInt8]
    var errors: String
    /// Standard output as text.
    var text: String { String(decoding: output, as: UTF8.self) }
    /// Error messages of `weir` on standard error.
    var complaints: [String] { errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("weir: ") || $0.hasPrefix("Error: ") } }
  }

  /// The working folder of the runs.
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// The path of the executable, beside the test bundle.
  static let path: String = {
    let candidates = [Bundle.main.bundleURL, URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
    for start in candidates {
      var url = start
      for _ in 0..<4 {
        let binary = url.appendingPathComponent("weir").path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: binary, isDirectory: &isFolder), !isFolder.boolValue { return binary }
        url.deleteLastPathComponent()
      }
    }
    return "weir"
  }()

  /// The root of the repository, which has the sample corpora and tokenizers.
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Runs `weir` with arguments.
  func weir(_ arguments: String..., input: [UInt8]? = nil) throws -> Result { try run(Self.path, arguments, input: input) }

  /// Runs `weir` with arguments.
  func run(_ arguments: [String]) throws -> Result { try run(Self.path, arguments, input: nil) }

  /// Runs a line of bash in which `weir` is the binary. The exit code of a pipe is that of its last command.
  func shell(_ line: String) throws -> Result {
    try run("/bin/bash", ["-c", "weir() { \"\(Self.path)\" \"$@\"; }; \(line)"], input: nil)
  }

  private func run(_ executable: String, _ arguments: [String], input: [UInt8]?) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    // Files instead of pipes, so that a run cannot block on its output.
    let names = (0..<3).map { _ in folder.appendingPathComponent(".stream-\(UUID().uuidString)") }
    for name in names { try Data().write(to: name) }
    defer { for name in names { try? FileManager.default.removeItem(at: name) } }
    try Data(input ?? []).write(to: names[0])
    process.standardInput = input == nil ? FileHandle.nullDevice : try FileHandle(forReadingFrom: names[0])
    process.standardOutput = try FileHandle(forWritingTo: names[1])
    process.standardError = try FileHandle(forWritingTo: names[2])
    try process.run()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus, output: Array(try Data(contentsOf: names[1])),
      errors: String(decoding: try Data(contentsOf: names[2]), as: UTF8.self))
  }

  /// Writes a file into the folder.
  @discardableResult func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  /// Writes a file into the folder.
  @discardableResult func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  /// The content of a file; nil if it does not exist.
  func read(_ name: String) -> [UInt8]? {
    (try? Data(contentsOf: folder.appendingPathComponent(name))).map { Array($0) }
  }

  /// The sorted names in the folder, without the captured output of runs.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !$0.hasPrefix(".stream-") }.sorted()
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// Runs `body` in a fresh folder, which is removed afterwards.
func inFolder<R>(_ body: (Binary) throws -> R) throws -> R {
  let binary = try Binary()
  defer { binary.remove() }
  return try body(binary)
}
