import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// `npm run dev` serves the sources and asks a running server: MUSTERLINE=http://127.0.0.1:8080 npm run dev
const server = process.env.MUSTERLINE ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  build: {
    // The content security policy allows no data: script or style, and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 1000, // kB before gzip; size_test.go has the limit that counts, of what is sent
    manifest: true, // what each page loads, for that test
    emptyOutDir: false, // it holds .keep, for those who build without Node
  },
  server: { proxy: { '/api': server, '/login': server } },
})
