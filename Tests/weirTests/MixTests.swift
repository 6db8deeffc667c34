import Foundation
import Testing

/// `weir plan mix` on the command line.
@Suite struct MixTests {
  private static let ratios = "run,name,a,b\n" + (0..<12).map { "r\($0),,\(Double($0) / 11),\(1 - Double($0) / 11)\n" }.joined()
  private static let metrics =
    "run,loss,bpb\n" + (0..<12).map { "r\($0),\(3 - Double($0) / 11),\($0 == 3 ? "" : "\(1 + Double($0) / 20)")\n" }.joined()

  @Test func fitsPredictsAndSolves() throws {
    try inFolder { binary in
      try binary.write("ratios.csv", Self.ratios)
      try binary.write("metrics.csv", Self.metrics)
      let fit = ["plan", "mix", "fit", "--ratios", "ratios.csv", "--metrics", "metrics.csv", "-o", "fit.json"]
      let fitted = try binary.run(fit)
      #expect(fitted.code == 0 && fitted.errors.contains("1 measurements are missing"), "\(fitted.errors)")
      let file = binary.read("fit.json")
      #expect(try binary.run(fit + ["--threads", "1"]).code == 0 && binary.read("fit.json") == file)
      #expect(try binary.run(["verify", "fit.json"]).code == 0)
      let predicted = try binary.run(["plan", "mix", "predict", "fit.json", "--ratios", "ratios.csv"])
      #expect(
        predicted.text.hasPrefix("run,loss,bpb,mean\nr0,") && predicted.text.split(separator: "\n").count == 13, "\(predicted.errors)")
      let solve = ["plan", "mix", "solve", "fit.json", "--target", "loss", "-o", "best.json", "--bootstrap", "4"]
      let solved = try binary.run(solve)
      #expect(solved.code == 0 && solved.errors.contains("divergence from the prior"), "\(solved.errors)")
      #expect(String(decoding: binary.read("best.json") ?? [], as: UTF8.self).contains("\"stages\""))
      let reused = try binary.run([
        "plan", "mix", "reuse", "--ratios", "ratios.csv", "--divide", "a=x:3,y:1", "--add", "z", "-o", "new.csv",
      ])
      #expect(
        reused.code == 0 && String(decoding: binary.read("new.csv") ?? [], as: UTF8.self).hasPrefix("run,x,y,b,z\n"), "\(reused.errors)")
      for (words, name) in [
        (["--target", "accuracy"], "--target: there is no metric"), (["--kl", "-1"], "--kl"), (["--max-epochs", "2"], "--tokens"),
      ] {
        let result = try binary.run(["plan", "mix", "solve", "fit.json", "-o", "x.json"] + words)
        #expect(result.code != 0 && result.errors.contains(name), "\(result.errors)")
      }
    }
  }

  @Test(arguments: [
    ("run,a,b\nr0,0.5,0.4\n", "ratios.csv:2: the weights have the sum 0.9"),
    ("run,a,b\nr0,x,1\n", "ratios.csv:2: column \"a\": \"x\" is not"),
    ("run,a,b\nr0,-1,2\n", "ratios.csv:2: column \"a\": -1"), ("run,a,b\nr0,1\n", "ratios.csv:2: has 2 cells"),
    ("name,a,b\nr0,1,0\n", "ratios.csv:1: has no column run"), ("run,a,a\nr0,1,0\n", "the column \"a\" twice"),
    ("run,a,b\nr0,1,0\nr0,0,1\n", "ratios.csv:3: run \"r0\" is in line 2"), ("run,a,b\nr0,1,0\n", "fewer than 10"), ("", "is empty"),
    ("run,a,b\n\"r0,1,0\n", "a quote that is not closed"), ("run,a,b\nq,1,0\n", "has none of the runs"),
  ])
  func badTables(_ ratios: String, _ reason: String) throws {
    try inFolder { binary in
      try binary.write("ratios.csv", ratios)
      try binary.write("metrics.csv", Self.metrics)
      let result = try binary.run(["plan", "mix", "fit", "--ratios", "ratios.csv", "--metrics", "metrics.csv", "-o", "fit.json"])
      expectFailure(result, naming: [reason])
      #expect(binary.read("fit.json") == nil)
    }
  }

  @Test func aSwarmIsTrainedFittedAndSolved() throws {
    try inFolder { binary in
      try binary.useMade()
      let train = "--width 16 --layers 1 --heads 1 --sequence 32 --batch-size 2 --tokens 256 --valid docs.jsonl --threads 1"
      let result = try binary.run(
        ["plan", "mix", "generate", "--dataset", "set", "--tree", "tree", "--count", "10", "--train", train, "-o", "swarm"])
      #expect(result.code == 0, "\(result.errors)")
      #expect(try binary.run(["verify", "swarm"]).code == 0)
      let run = try binary.run(["run", "swarm/swarm.yaml", "--quiet"])
      #expect(run.code == 0, "\(run.errors)")
      let fit = try binary.run(
        ["plan", "mix", "fit", "--ratios", "swarm/ratios.csv", "--runs", "swarm-runs", "--regressions", "linear,gp", "-o", "fit.json"])
      #expect(fit.code == 0 && fit.errors.contains("docs"), "\(fit.errors)")
      let solve = try binary.run(
        [
          "plan", "mix", "solve", "fit.json", "--dataset", "set", "--tree", "tree", "--tokens", "512", "--max-epochs", "2", "-o",
          "best.json",
        ])
      #expect(solve.code == 0, "\(solve.errors)")
      let feed = try binary.shell("weir feed set --mixture best.json --sequence 32 --batch-size 2 --steps 3 --quiet | wc -c")
      #expect(
        feed.code == 0
          && (Int(feed.text.split(separator: "\n").last.map(String.init)?.trimmingCharacters(in: .whitespaces) ?? "") ?? 0) > 2_000)
    }
  }
}
