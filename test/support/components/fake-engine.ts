import { vi } from "vitest";

// A set-up of all files of this folder: nobody asks a real engine, and no image is hashed.
vi.mock("../../../components/engine/server-state", async (original) => ({
  ...(await original<object>()),
  observeServer: vi.fn(),
  inspectContainer: vi.fn(),
}));
vi.mock("../../../tools/server-image", () => ({
  serverImage: (folder: string) => ({
    tag: "stagecraft-server:0123456789ab",
    context: `${folder}/.stagecraft/image/0123456789ab`,
  }),
}));
