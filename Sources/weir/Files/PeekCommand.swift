import ArgumentParser
import Documents
import Inspection
import Primitives
import Storage
import Workflows

/// `weir peek PATH`: shows the contents of a Weir file or folder.
struct PeekCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "peek",
    abstract: "Show what is in a Weir file or folder.",
    discussion: """
      s3:// addresses are read as by weir read; of a large .npy or llm.c file in a store, only the beginning is downloaded.

      EXAMPLES:
        weir peek out/dataset
        weir peek s3://bucket/export/part-00000.npy
      """)

  @Argument(help: ArgumentHelp("File or folder.", valueName: "path"))
  var path: String

  @Option(help: ArgumentHelp("Lines or records to show.", valueName: "n"))
  var lines = 5

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [path] }
  var writesDataToOutput: Bool { !common.json }

  func validate() throws {
    guard lines >= 0 else { throw ValidationError("--lines must not be negative") }
  }

  func perform(_ session: Session) throws -> Outcome {
    let report = try ObjectCopy.with(path, heads: [".npy", ".bin"]) { path, named in
      var report = try Peek.report(path, registry: .all, lines: lines)
      (report.path, report.kind, report.lines) = (named(report.path), named(report.kind), report.lines.map(named))
      return report
    }
    guard !common.json else { return Outcome(report: try JSONValue(encoding: report)) }
    try StandardOutput.write(Format.escaped(report.text, keepingLines: true))
    return Outcome()
  }
}
