const words = (text: string) => text.trim().split(/\s+/)

/** Two lines for each region: given names, then family names that occur with them. */
const lines = `
Ada Alice Amelia Ben Clara Daniel Edith Emma Finn Grace Henry Isaac Jack Leo Lucy Nora Oliver Rose Samuel Theo Violet
Abbott Bailey Baker Bennett Brooks Carter Clarke Dawson Ellis Fletcher Hughes Marsh Morgan Palmer Reed Shaw Webb Wood
Anders Astrid Birgit Elin Erik Freja Greta Ingrid Jonas Kari Lars Linnea Magnus Maja Nils Oda Rasmus Sigrid Sven Tove
Berg Bergström Dahl Ekström Eriksen Falk Hansen Haugen Holm Jensen Lindqvist Lund Nygård Solberg Strand Sørensen Åkesson
Agathe Antoine Camille Chloé Élise Étienne Gabriel Hugo Inès Jeanne Jules Léa Louis Lucie Manon Noé Pauline Théo Zoé
Aubert Bernard Blanchard Chevalier Dubois Dupont Fabre Fontaine Garnier Girard Lambert Lefèvre Mercier Moreau Renard
Alejandro Ana Bruno Carmen Diego Elena Inés Irene Javier João Lucía Luís Marta Mateo Pablo Pilar Rafael Sofia Tiago
Almeida Álvarez Barros Campos Carvalho Castro Costa Delgado Duarte Ferreira Fuentes Herrera Lima Medina Navarro Vega
Aarav Aditi Ananya Arjun Asha Dev Farah Ishaan Kabir Kavya Leila Meera Nadia Omar Priya Ravi Samir Sana Tara Yusuf Zara
Ahmed Bhatt Chandra Chopra Das Desai Farouk Gupta Haddad Iyer Joshi Kapoor Khan Khoury Malik Mehta Nair Patel Rao Sharma
Aiko Akira Chiara Daisuke Emi Haruto Hina Jia Jun Kaito Kenji Lian Mei Min Naoki Ren Rin Sakura Soo-jin Tao Yuki Zhen
Chen Choi Fujita Han Hayashi Huang Inoue Kang Kim Kimura Lee Lin Mori Nakamura Park Saito Sato Tanaka Wang Wu Yamada
Amara Chidi Efua Emeka Esi Folake Imani Ife Jabari Kofi Kwame Lindiwe Makena Naledi Ngozi Nia Sipho Thabo Wanjiru Zuri
Abara Achebe Adeyemi Afolabi Asante Boateng Dlamini Eze Kamau Khumalo Mensah Moyo Mutua Mwangi Ndlovu Obi Okafor Osei
`
  .trim()
  .split('\n')

export const names = lines.flatMap((given, at) =>
  at % 2 === 0 ? [{ given: words(given), family: words(lines[at + 1]!) }] : [],
)

export const cities = words(`
Bergen Bilbao Bristol Cork Ghent Hamburg Kyoto Lagos Leeds Lisbon Ljubljana Lyon Malmö Marseille Mombasa Montréal
Nairobi Porto Pune Seoul Tallinn Trieste Utrecht Valparaíso Wellington`)

export const trades =
  'nurse,teacher,carpenter,bookseller,software developer,baker,bus driver,librarian,architect,gardener,translator,vet,student,electrician,illustrator,marine biologist,postal worker,cook,journalist,paramedic'.split(
    ',',
  )
